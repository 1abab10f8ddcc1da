"""The audit log as a chain, one per tenant: an entry's digest is made with the digest of the entry before it.

Whoever changes, removes or slips in an entry behind our back breaks the chain there, unless they have SECRET_KEY too.
What a chain cannot show by itself is that its newest entries were all taken away: for that its head, as
`manage.py verify_audit` prints it, has to be kept elsewhere.
"""

import hmac
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Field

from monitoring.models import AuditEntry, AuditHead

TOLD = (
    "id", "tenant_id", "number", "action", "actor_kind", "actor_id", "actor_label", "object_kind", "object_id",
    "summary", "changes", "ip", "request_id",
)  # fmt: skip
BATCH = 500
# Takes the tenant's head for this transaction: whoever adds the next entry waits until this one is there for good.
TAKE_HEAD = """
INSERT INTO {table} AS head (tenant_id, number, digest) VALUES (%s, 0, '')
ON CONFLICT (tenant_id) DO UPDATE SET number = head.number RETURNING number, digest
"""


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry of a chain that is not as it was written. `entry` is None where one is missing at the end."""

    number: int
    entry: uuid.UUID | None
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one tenant's chain looks like. `unsealed` were written by a release that had no chain."""

    tenant_id: uuid.UUID
    number: int
    digest: str
    unsealed: int
    broken: Break | None

    @property
    def is_sound(self) -> bool:
        return self.broken is None and not self.unsealed


def append(entry: AuditEntry) -> None:
    """Adds the entry to its tenant's chain and stores both. Two statements more than storing the entry alone."""
    with transaction.atomic(savepoint=False):
        number, digest = _take_head(entry.tenant_id)
        _link(entry, number + 1, digest)
        entry.save(force_insert=True)
        _put_head(entry)


def seal() -> int:
    """Adds entries without a number, which a release without chains has written, behind what is there; how many."""
    sealed = 0
    tenants = AuditEntry.objects.filter(number=None).order_by("tenant_id").values_list("tenant_id", flat=True)
    for tenant_id in list(tenants.distinct()):
        while count := _seal(tenant_id):
            sealed += count
    return sealed


@transaction.atomic
def _seal(tenant_id: uuid.UUID) -> int:
    number, digest = _take_head(tenant_id)
    rows = list(AuditEntry.objects.filter(tenant_id=tenant_id, number=None).order_by("id")[:BATCH])
    for place, row in enumerate(rows, number + 1):
        _link(row, place, digest)
        digest = row.digest
        row.take_place()
    if rows:
        _put_head(rows[-1])
    return len(rows)


def _take_head(tenant_id: uuid.UUID) -> tuple[int, str]:
    column = cast("Field[Any, Any]", AuditHead._meta.get_field("tenant_id"))
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE_HEAD.format(table=AuditHead._meta.db_table), [column.get_db_prep_save(tenant_id, connection)]
        )
        number, digest = cursor.fetchone()
    return number, digest


def _link(entry: AuditEntry, number: int, before: str) -> None:
    entry.number = number
    entry.digest = digest_of(entry, before, settings.SECRET_KEY)


def _put_head(entry: AuditEntry) -> None:
    AuditHead.objects.filter(tenant_id=entry.tenant_id).update(number=entry.number, digest=entry.digest)


def digest_of(entry: AuditEntry, before: str, secret: str) -> str:
    told = {name: getattr(entry, name) for name in TOLD} | {
        "at": entry.at.astimezone(UTC).isoformat(),
        "before": before,
    }
    text = json.dumps(told, sort_keys=True, default=str)
    return hmac.digest(f"audit chain {secret}".encode(), text.encode(), "sha256").hex()


def verify(tenants: Iterable[uuid.UUID] | None = None) -> Iterator[Finding]:
    """One finding for each tenant of whom anything is told."""
    known = AuditEntry.objects.order_by().values_list("tenant_id", flat=True).distinct()
    everyone = known.union(AuditHead.objects.values_list("tenant_id", flat=True))
    for tenant_id in sorted(everyone) if tenants is None else tenants:
        yield _verified(tenant_id)


@transaction.atomic
def _verified(tenant_id: uuid.UUID) -> Finding:
    """Nobody adds to this chain meanwhile."""
    number, digest = _take_head(tenant_id)
    entries = AuditEntry.objects.filter(tenant_id=tenant_id)
    chained = entries.exclude(number=None).order_by("number", "id").iterator(chunk_size=BATCH)
    broken = _first_break(chained, number, digest)
    return Finding(tenant_id, number, digest, entries.filter(number=None).count(), broken)


def _first_break(entries: Iterable[AuditEntry], last: int, head: str) -> Break | None:
    digest, seen = "", 0
    for expected, entry in enumerate(entries, 1):
        if entry.number != expected:
            return Break(expected, entry.id, f"number {expected} is missing, or there twice")
        if not _is_as_written(entry, digest):
            return Break(expected, entry.id, "it is not as it was written, or does not follow the one before it")
        digest, seen = entry.digest, expected
    if (seen, digest) != (last, head):
        return Break(seen + 1, None, f"the chain was {last} entries long, and {seen} are there")
    return None


def _is_as_written(entry: AuditEntry, before: str) -> bool:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(entry.digest, digest_of(entry, before, secret)) for secret in secrets)
