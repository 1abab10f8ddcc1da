"""The generator's door: accepts what happened. A 202 means that `accept` has committed."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from notification_processor.full_backlogs import refuse_if_full
from notification_processor.models import Event
from tenants.models import Tenant
from traffic_control.crash_points import Point, crash_point
from traffic_control.errors import Problem
from traffic_control.ids import uuid7
from traffic_control.insertion import UNLESS_TAKEN, Entry, Insertion
from traffic_control.metrics import EVENTS, Tally
from traffic_control.wakeup import wake
from user_preferences import customers
from user_preferences.customers import RecipientInput

NOTES = ("state", "error", "plan", "cursor", "completed_at")  # the pipeline's
PLAIN = ("mode", "topic", "channels", "idempotency_key", "fingerprint", "priority", "expires_at", *NOTES)
EVENTS_TABLE = Insertion(Event, kinds=[PLAIN, NOTES])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event as a tenant sent it, validated. `recipients` are user_ids; `inline` are to be upserted first."""

    event_type: str
    recipients: tuple[str, ...] = ()
    inline: tuple[RecipientInput, ...] = ()
    topic: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] | None = None
    idempotency_key: str | None = None
    occurred_at: datetime | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the tenant is told."""

    event: Event
    is_duplicate: bool = False
    problem: Problem | None = None


def accept(tenant: Tenant, mode: str, new: Sequence[NewEvent]) -> list[Accepted]:
    """Stores the events in one transaction and wakes the generator.

    An idempotency key that was used before gives the first event again, or a problem when the event differs.
    Raises Problem 429 when too much of the tenant waits already.
    """
    refuse_if_full(tenant)
    now = timezone.now()
    rows = [_row(tenant, mode, event, now) for event in new]
    if len(rows) == 1 and not new[0].inline:
        return _counted([_accept_one(tenant, rows[0])])
    with transaction.atomic(savepoint=False):
        if inline := [person for event in new for person in event.inline]:
            customers.upsert(tenant, inline)
        stored = _store(tenant, rows)
        crash_point(Point.BATCH_STORED)
        wake("process")
    return _counted([_accepted(row, stored) for row in rows])


def make_ready(tenant: Tenant, mode: str, new: NewEvent) -> Event:
    """One without a key of its own and without inline recipients, not yet stored. Raises Problem 429."""
    refuse_if_full(tenant)
    return _row(tenant, mode, new, timezone.now())


def imagined(tenant: Tenant, mode: str, new: NewEvent) -> Accepted:
    """What `accept` would answer, without storing it. Raises Problem 429."""
    row = make_ready(tenant, mode, new)
    earlier = _earlier(tenant, {row.idempotency_key} if row.idempotency_key else set())
    return _accepted(row, {row.idempotency_key or "": row} | earlier)


def accept_with(entry: Entry, event: Event) -> bool:
    """Stores both in one statement and wakes the generator. False, and nothing stored, when the entry was there."""
    crash_point(Point.EVENT_READ)
    is_stored = EVENTS_TABLE.insert_row(event, entry=entry)
    if is_stored:
        crash_point(Point.EVENT_STORED)
        wake("process")
        _counted([Accepted(event)])
    return is_stored


def _accept_one(tenant: Tenant, row: Event) -> Accepted:
    """The common case: one statement, which is a transaction by itself, and one more for a key that was used."""
    crash_point(Point.EVENT_READ)
    if EVENTS_TABLE.insert_row(row, only_if=UNLESS_TAKEN if row.idempotency_key else None):
        crash_point(Point.EVENT_STORED)
        wake("process")
        return Accepted(row)
    return _accepted(row, _earlier(tenant, {row.idempotency_key or ""}))


def _store(tenant: Tenant, rows: Sequence[Event]) -> dict[str, Event]:
    """The stored event of each key among the rows: that of the row itself, or one that came before it."""
    first = _first_of_each_key(rows)
    fresh = [r for r in rows if not r.idempotency_key or first[r.idempotency_key] is r]
    Event.objects.bulk_create(fresh, ignore_conflicts=bool(first), batch_size=500)
    return _earlier(tenant, set(first))


def _counted(accepted: list[Accepted]) -> list[Accepted]:
    tally = Tally()
    for one in accepted:
        tally.count(EVENTS, "rejected" if one.problem else "duplicate" if one.is_duplicate else "accepted")
    tally.add_on_commit()
    return accepted


def _accepted(row: Event, stored: dict[str, Event]) -> Accepted:
    if not row.idempotency_key:
        return Accepted(row)
    kept = stored[row.idempotency_key]
    if kept.fingerprint != row.fingerprint:
        detail = f'idempotency_key "{row.idempotency_key}" was used for another event ({kept.id}). Use a new key.'
        return Accepted(kept, problem=Problem("idempotency_key_reused", detail, status=422))
    return Accepted(kept, is_duplicate=kept.id != row.id)


def _first_of_each_key(rows: Sequence[Event]) -> dict[str, Event]:
    first: dict[str, Event] = {}
    for row in rows:
        if row.idempotency_key:
            first.setdefault(row.idempotency_key, row)
    return first


def _earlier(tenant: Tenant, keys: set[str]) -> dict[str, Event]:
    if not keys:
        return {}
    return {e.idempotency_key or "": e for e in Event.objects.filter(tenant=tenant, idempotency_key__in=keys)}


def _row(tenant: Tenant, mode: str, new: NewEvent, now: datetime) -> Event:
    return Event(
        id=uuid7(),
        tenant_id=tenant.id,
        mode=mode,
        event_type=new.event_type,
        recipients=list(new.recipients),
        topic=new.topic,
        channels=list(new.channels) if new.channels is not None else None,
        payload=new.payload,
        idempotency_key=new.idempotency_key,
        fingerprint=_fingerprint(new) if new.idempotency_key else "",
        priority=new.priority,
        occurred_at=new.occurred_at or now,
        due_at=new.send_at or now,
        expires_at=new.expires_at,
        received_at=now,
    )


def _fingerprint(new: NewEvent) -> str:
    said = [new.event_type, new.recipients, new.topic, new.payload, new.channels, new.send_at, new.expires_at]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def of_tenant(tenant_id: uuid.UUID) -> QuerySet[Event]:
    return Event.objects.filter(tenant_id=tenant_id)
