"""The router: audience in slices → choices, suppressions, limits → rendered ledger rows, or rows that say why not.

A slice's rows and the event's cursor commit together, and a row's id is derived from event, customer and channel: a
crash at any point resumes where it was, and nothing can be opened twice.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from delivery_gateway import ledger
from notification_processor import deciding
from notification_processor.audience import Slice, next_slices
from notification_processor.models import Event
from tenants.models import Tenant
from traffic_control.crash_points import Point, crash_point
from traffic_control.fair_queue import AllTurns, Queue

log = logging.getLogger(__name__)

BATCH = 500  # events a transaction
# Of tenants who are still there: nothing in the database keeps a tenant with events from being removed.
HAS_TENANT = f"EXISTS (SELECT 1 FROM {Tenant._meta.db_table} AS tenant WHERE tenant.id = w.tenant_id)"  # noqa: S608
GENERATED = Queue(Event._meta.db_table, waiting="state = 'generated'", order="id", taken_if=HAS_TENANT)
TURNS = AllTurns()


def route(*, now: datetime) -> bool:
    """Routes one batch of generated events; whether there may be more to do at once."""
    with transaction.atomic():
        events = TURNS.take(_generated(), GENERATED, BATCH)
        if not events:
            return False
        slices = next_slices(events)
        opened = deciding.decide(slices, now)
        ledger.open_rows(opened, may_exist=True)
        crash_point(Point.ROWS_OPENED)
        _advance(slices, now)
        crash_point(Point.CURSOR_MOVED)
    crash_point(Point.SLICE_ROUTED)
    log.info("routed events to notifications", extra={"stage": "route", "count": len(opened)})
    return len(events) == BATCH or len(slices) < len(events) or not all(s.is_last for s in slices)


def _generated() -> QuerySet[Event]:
    """As GENERATED says."""
    return Event.objects.filter(Exists(Tenant.objects.filter(id=OuterRef("tenant_id"))), state=Event.State.GENERATED)


def _advance(slices: Sequence[Slice], now: datetime) -> None:
    """Events that come to stand alike, as those with one recipient each do, move together."""
    together: dict[tuple[str, bool], list[uuid.UUID]] = {}
    for part in slices:
        together.setdefault((part.cursor, part.is_last), []).append(part.event.id)
    for (cursor, is_last), ids in together.items():
        state, completed_at = (Event.State.COMPLETED, now) if is_last else (Event.State.GENERATED, None)
        Event.objects.filter(id__in=ids).update(state=state, cursor=cursor, completed_at=completed_at)
