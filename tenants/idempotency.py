"""`Idempotency-Key`: the same request sent twice is done once, and answered the same way twice.

Follows the IETF draft "The Idempotency-Key HTTP Header Field". A key belongs to a tenant, a method and a path, and is
kept for IDEMPOTENCY_HOURS. The claim, the work and the answer share one transaction: a crash or an error stores none
of them, and a twin that comes meanwhile waits for the first to end.
"""

import functools
import hashlib
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Field
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.masking import masked_fields
from tenants.models import ApiKey, IdempotencyRecord, Tenant
from traffic_control.errors import Problem
from traffic_control.ids import uuid7
from traffic_control.insertion import Entry
from traffic_control.renderers import ProblemAwareJSONRenderer

VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
WAIT_FOR_TWIN = 2  # seconds; on PostgreSQL, where it also bounds every other lock wait of the request
LOCK_NOT_AVAILABLE = "55P03"
# An expired record is taken over in place. RETURNING is silent when the row exists and still counts.
CLAIM = """
INSERT INTO {table} AS r (id, tenant_id, scope, key, fingerprint, status_code, response, location, created_at)
VALUES (%s, %s, %s, %s, %s, NULL, '', '', %s)
ON CONFLICT (tenant_id, scope, key) DO UPDATE
SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
WHERE r.created_at < %s
RETURNING id
"""

# The same with the answer, which is known before: a guard of the accepted row, which hangs on this, has its place.
RECORD = """
INSERT INTO {table} AS r (id, tenant_id, scope, key, fingerprint, status_code, response, location, created_at)
SELECT %s, %s, %s, %s, %s, {status}, %s, %s, %s
WHERE set_config('lock_timeout', '{seconds}s', true) <> '' AND {{condition}}
ON CONFLICT (tenant_id, scope, key) DO UPDATE
SET fingerprint = excluded.fingerprint, created_at = excluded.created_at, status_code = excluded.status_code,
    response = excluded.response, location = excluded.location
WHERE r.created_at < excluded.created_at - interval '{hours} hours'
RETURNING 1
"""
RECORD_TYPES = ("uuid", "uuid", "text", "text", "text", "text", "text", "timestamptz")


class Idempotent:
    """Mixin for an APIView: its `post` runs in one transaction, and once per `Idempotency-Key` when there is one.

    Answers other than 2xx roll back. Keys are not for answers with secrets in them: these would be stored.
    """

    is_idempotent = True
    needs_transaction = True  # False: without a key, the view's one service call brings its own

    def heeds_key(self, request: Any) -> bool:
        """False for a request that changes nothing: its answer is not kept, and its key stays free."""
        return True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "post" in cls.__dict__:
            cls.post = once_per_key(cls.__dict__["post"])  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose request this is, which one, and what it said."""

    tenant: Tenant
    scope: str
    key: str
    fingerprint: str


def once_per_key(post: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @functools.wraps(post)
    def wrapper(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        claim = claim_of(request) if view.heeds_key(request) else None
        if claim is None and not view.needs_transaction:
            response: HttpResponseBase = post(view, request, *args, **kwargs)
            return response
        with transaction.atomic():
            record_id = take(claim) if claim else None
            if claim and record_id is None:
                return replay(claim, cast(ApiKey, request.auth))
            response = post(view, request, *args, **kwargs)
            if not 200 <= response.status_code < 300:
                transaction.set_rollback(True)
            elif record_id:
                remember(record_id, response)
            return response

    return wrapper


def claim_of(request: Any) -> Claim | None:
    """None without the header. Raises Problem 400 `idempotency_key_invalid`."""
    given = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if given is None:
        return None
    return Claim(request.tenant, call_of(request), read_key(given), fingerprint_of(request.data))


def call_of(request: Any) -> str:
    return f"{request.method} {request.path}"[:200]


def read_key(given: str) -> str:
    """A structured-field string is quoted; a bare key is accepted too."""
    text = given.strip()
    key = text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text
    if not VISIBLE.fullmatch(key):
        detail = "Idempotency-Key must have 1 to 255 visible ASCII characters, for example a UUID."
        raise Problem("idempotency_key_invalid", detail)
    return key


def fingerprint_of(body: Any) -> str:
    """The same for bodies that differ in white space or in the order of keys only."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def take(claim: Claim) -> uuid.UUID | None:
    """The id of the new record; None when an earlier request has it. Waits for a twin under way.

    Raises Problem 409 `idempotency_key_in_progress` when the twin takes longer than WAIT_FOR_TWIN.
    """
    now = timezone.now()
    values = [
        _bound("id", uuid7()),
        _bound("tenant", claim.tenant.id),
        claim.scope,
        claim.key,
        claim.fingerprint,
        _bound("created_at", now),
        _bound("created_at", now - timedelta(hours=settings.IDEMPOTENCY_HOURS)),
    ]
    with connection.cursor() as cursor:
        with waiting_for_twin():
            cursor.execute(_claim_statement(), values)
        row = cursor.fetchone()
    return uuid.UUID(str(row[0])) if row else None


def record_of(claim: Claim, *, status: int, body: bytes, location: str) -> Entry:
    """The claim and the answer in one, to be stored by the statement that does what was answered. PostgreSQL only.

    Taken, it is for `take` and `replay` to say what that means. To be run `waiting_for_twin`.
    """
    now = timezone.now()
    who = [uuid7(), claim.tenant.id, claim.scope, claim.key, claim.fingerprint]
    sql = _record_statement(status, WAIT_FOR_TWIN, settings.IDEMPOTENCY_HOURS)
    return Entry(sql, RECORD_TYPES, [*who, body.decode(), location[:300], now])


@contextmanager
def waiting_for_twin() -> Iterator[None]:
    """Raises Problem 409 `idempotency_key_in_progress` for the database's error when it took too long."""
    try:
        yield
    except OperationalError as exc:
        if getattr(exc.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        detail = "The first request with this Idempotency-Key is still running. Send the same request again."
        raise Problem("idempotency_key_in_progress", detail, status=409, headers={"Retry-After": "1"}) from exc


def _bound(column: str, value: Any) -> Any:
    """A value as this database's driver takes it."""
    field = cast("Field[Any, Any]", IdempotencyRecord._meta.get_field(column))
    return field.get_db_prep_save(value, connection)


def _claim_statement() -> str:
    claim = CLAIM.format(table=IdempotencyRecord._meta.db_table)
    return f"SET LOCAL lock_timeout = '{WAIT_FOR_TWIN}s'; {claim}" if connection.vendor == "postgresql" else claim


@functools.cache
def _record_statement(status: int, seconds: int, hours: int) -> str:
    table = IdempotencyRecord._meta.db_table
    return RECORD.format(table=table, status=int(status), seconds=int(seconds), hours=int(hours))


def replay(claim: Claim, key: ApiKey) -> HttpResponse:
    """The first answer, byte for byte, but for addresses that this key may not see.

    Raises Problem 422 `idempotency_key_reused` for another body.
    """
    first = IdempotencyRecord.objects.get(tenant=claim.tenant, scope=claim.scope, key=claim.key)
    if first.fingerprint != claim.fingerprint:
        detail = "This Idempotency-Key was used with another body. Use a new key for a new request."
        raise Problem("idempotency_key_reused", detail, status=422)
    headers = {"Idempotent-Replayed": "true"} | ({"Location": first.location} if first.location else {})
    body = first.response if "pii" in key.scopes else masked(first.response)
    return HttpResponse(body, status=first.status_code, headers=headers, content_type="application/json")


def masked(answer: str) -> bytes:
    return orjson.dumps(masked_fields(orjson.loads(answer))) if answer else b""


def remember(record_id: uuid.UUID, response: HttpResponseBase) -> None:
    body = ProblemAwareJSONRenderer().render(response.data) if isinstance(response, Response) else b""
    IdempotencyRecord.objects.in_scope().filter(pk=record_id).update(
        status_code=response.status_code, response=body.decode(), location=response.headers.get("Location", "")[:300]
    )


def purge(*, before: datetime) -> int:
    """Forgets records that no longer count; how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=before).delete()[0]
