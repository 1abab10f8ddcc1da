"""The same thing said twice: inside a workflow's window, a customer hears of a key once.

The first event to route a key for a customer holds it, in a row that is unique in the database. Routers that work on
two such events at once meet at that row: the second waits for the first to commit, and then finds a duplicate.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from django.db import connection
from django.db.models import Field

from notification_processor.models import Event, SeenKey
from traffic_control.ids import uuid7

Told = tuple[uuid.UUID, uuid.UUID]  # event id, customer id
Key = tuple[uuid.UUID, uuid.UUID, uuid.UUID, str]  # tenant id, workflow id, customer id, hash

KEY = ("tenant_id", "workflow_id", "customer_id", "key_hash")
COLUMNS = ("id", *KEY, "event_id", "seen_at", "expires_at")
CHUNK = 500  # rows a statement
# PostgreSQL locks the row it meets whether or not it updates it, so what is read next stays true until the commit.
HOLD = """
INSERT INTO {table} AS held ({columns}) VALUES {rows}
ON CONFLICT ({key}) DO UPDATE
SET event_id = excluded.event_id, seen_at = excluded.seen_at, expires_at = excluded.expires_at
WHERE held.expires_at <= excluded.seen_at
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that wants to tell a customer of a key."""

    key: Key
    event_id: uuid.UUID
    seen_at: datetime
    expires_at: datetime

    @property
    def told(self) -> Told:
        return self.event_id, self.key[2]


def duplicates(told: Iterable[tuple[Event, uuid.UUID]]) -> dict[Told, str]:
    """Of these events and customer ids, those who heard of it already, with a sentence that names the first event.

    The others hold their keys from now on. Call it in the transaction that opens their rows.
    """
    waiting = _claims(told)
    found: dict[Told, str] = {}
    while waiting:
        holders = _hold({claim.key: claim for claim in reversed(waiting)}.values())
        found |= _repeats(waiting, holders)
        waiting = [c for c in waiting if c.told not in found and holders[c.key].event_id != c.event_id]
    return found


def duplicates_ahead(told: Iterable[tuple[Event, uuid.UUID]]) -> dict[Told, str]:
    """What `duplicates` would find for one event, by what is held now. Holds nothing."""
    claims = _claims(told)
    return _repeats(claims, _holders(claims)) if claims else {}


def _claims(told: Iterable[tuple[Event, uuid.UUID]]) -> list[Claim]:
    by_told = {claim.told: claim for event, customer_id in told if (claim := _claim(event, customer_id))}
    return list(by_told.values())


def _repeats(claims: Iterable[Claim], holders: Mapping[Key, SeenKey]) -> dict[Told, str]:
    """Those whose key another event holds still."""
    found: dict[Told, str] = {}
    for claim in claims:
        holder = holders.get(claim.key)
        if holder and holder.event_id != claim.event_id and claim.seen_at < holder.expires_at:
            found[claim.told] = (
                f"Event {holder.event_id} told this customer of it at {holder.seen_at:%Y-%m-%d %H:%M:%S} UTC."
            )
    return found


def _claim(event: Event, customer_id: uuid.UUID) -> Claim | None:
    """None when the workflow has no key, or the payload lacks one of its values."""
    dedup = (event.plan or {}).get("dedup")
    if not dedup:
        return None
    values = [_value(event.payload, path) for path in dedup["paths"]]
    if None in values:
        return None
    digest = hashlib.sha256(orjson.dumps([event.mode, values], option=orjson.OPT_SORT_KEYS)).hexdigest()
    key = (event.tenant_id, uuid.UUID(dedup["workflow"]), customer_id, digest)
    return Claim(key, event.id, event.due_at, event.due_at + timedelta(seconds=dedup["window"]))


def _value(payload: Mapping[str, Any], path: str) -> Any:
    value: Any = payload
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _hold(claims: Iterable[Claim]) -> dict[Key, SeenKey]:
    """Who holds each key after all of them have tried. In one order everywhere, so that no two routers dead-lock."""
    in_order = sorted(claims, key=lambda claim: claim.key)
    holders: dict[Key, SeenKey] = {}
    for start in range(0, len(in_order), CHUNK):
        some = in_order[start : start + CHUNK]
        _insert(some)
        holders |= _holders(some)
    return holders


def _holders(claims: Sequence[Claim]) -> dict[Key, SeenKey]:
    tenants, workflows, customers, hashes = (set(part) for part in zip(*(c.key for c in claims), strict=True))
    rows = SeenKey.objects.filter(
        tenant_id__in=tenants, workflow_id__in=workflows, customer_id__in=customers, key_hash__in=hashes
    )
    return {(row.tenant_id, row.workflow_id, row.customer_id, row.key_hash): row for row in rows}


def _insert(claims: Sequence[Claim]) -> None:
    fields = [cast("Field[Any, Any]", SeenKey._meta.get_field(name)) for name in COLUMNS]
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    statement = HOLD.format(
        table=SeenKey._meta.db_table,
        columns=", ".join(COLUMNS),
        rows=", ".join([row] * len(claims)),
        key=", ".join(KEY),
    )
    values = [(uuid7(), *claim.key, claim.event_id, claim.seen_at, claim.expires_at) for claim in claims]
    bound = [field.get_db_prep_save(x, connection) for row in values for field, x in zip(fields, row, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(statement, bound)


def purge(*, before: datetime) -> int:
    """Forgets keys whose window ended before then; how many."""
    return SeenKey.objects.filter(expires_at__lt=before).delete()[0]
