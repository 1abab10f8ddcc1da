"""The door of the delivery gateway: opens ledger rows, and changes their state before and after delivery.

Every change is one statement for many rows whose WHERE names the states it may start from, so that two workers, an
operator and the clock can all try at once and exactly one of them wins.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.db.models import Case, F, When

from delivery_gateway import counters, measures, pacing
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status, sources_of
from tenants.integrations import paused_among
from traffic_control import decisions
from traffic_control.bulk import update_from_values
from traffic_control.bulk_insertion import insert_columns
from traffic_control.crash_points import Point, crash_point
from traffic_control.fair_queue import AllTurns, Queue
from traffic_control.ids import uuid7
from traffic_control.insertion import Entry, Guard, Insertion
from traffic_control.wakeup import wake

PRIORITY_BOOST_MS = 600_000  # one step of priority is worth ten minutes of waiting, among the tenant's own
PENDING = Queue(NotificationLog._meta.db_table, waiting="status = 'pending'", order="id")
TURNS = AllTurns()
SETTLED = ("status", "reason", "detail", "due_at", "routed_at", "decision")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotification:
    """A row to open. `status` is PENDING (to be routed), QUEUED, SCHEDULED, SUPPRESSED or FAILED (routed already).

    QUEUED without `routed_at`: nobody's preferences are concerned, and delivery decides what is left to decide.
    """

    tenant_id: uuid.UUID
    channel: str
    created_at: datetime
    id: uuid.UUID = field(default_factory=uuid7)
    status: Status = Status.PENDING
    mode: str = "live"
    event_id: uuid.UUID | None = None
    event_type: str = ""
    user_id: str = ""
    customer_id: uuid.UUID | None = None
    to: str = ""
    subject: str = ""
    body: str = ""
    html: str = ""
    payload: dict[str, Any] | None = None
    template_name: str = ""
    template_version: int | None = None
    category: str = ""
    is_critical: bool = False
    priority: int = 0
    reason: str = ""
    detail: str = ""
    due_at: datetime | None = None
    expires_at: datetime | None = None
    routed_at: datetime | None = None
    decision: int | None = None


AS_GIVEN = tuple(f.name for f in fields(NewNotification) if f.name not in ("priority", "detail"))
READ: Callable[[NewNotification], Sequence[Any]] = attrgetter(*AS_GIVEN)
DERIVED: dict[str, Callable[[NewNotification], Any]] = {
    "lane": lambda new: CHANNELS[new.channel].lane,
    "detail": lambda new: new.detail[:500],
    "error_class": lambda new: "content" if new.status == Status.FAILED else "",
    "error_code": lambda new: new.reason if new.status == Status.FAILED else "",
    "rank": lambda new: int(new.created_at.timestamp() * 1000) - new.priority * PRIORITY_BOOST_MS,
}

UNUSUAL = (
    "event_id", "event_type", "category", "is_critical", "reason", "detail", "error_class", "error_code", "decision",
)  # fmt: skip
UNTIMED = ("due_at", "expires_at", "routed_at")
TO_AN_ADDRESS = ("mode", "user_id", "customer_id", "html", "payload")
LEDGER = Insertion(NotificationLog, kinds=[(*TO_AN_ADDRESS, *UNUSUAL, *UNTIMED), (*UNUSUAL, *UNTIMED)])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What routing decided for a pending row. Unless it is final, the row comes back to be routed when it is due."""

    id: uuid.UUID
    lane: str
    status: Status
    reason: str = ""
    detail: str = ""
    due_at: datetime | None = None
    decision: int | None = None
    is_final: bool = True


def open_one(new: NewNotification, *, only_if: Guard | None = None, entry: Entry | None = None) -> bool:
    """As `open_rows`, in one statement, one commit outside a transaction.

    False, and nothing stored, when `only_if` does not hold or `entry` was there before.
    """
    crash_point(Point.SEND_READ)
    is_open = LEDGER.insert(_values(new), only_if=only_if, entry=entry)
    if is_open:
        crash_point(Point.SEND_STORED)
        _go_on([new])
        measures.opened([new])
        counters.opened([new])
    return is_open


def open_rows(rows: Sequence[NewNotification], *, may_exist: bool = False) -> None:
    """Inserts the rows in the caller's transaction, and wakes what is next.

    `may_exist`: their ids were derived, and a row whose id exists is left as it is.
    """
    insert(rows, may_exist=may_exist)
    measures.opened(rows)
    counters.opened(rows)


def insert(rows: Sequence[NewNotification], *, may_exist: bool = False) -> None:
    """As `open_rows`, and the caller counts them: a transaction counts once, as its last step."""
    if rows:
        insert_columns(NotificationLog, _columns(rows), may_exist=may_exist)
        _go_on(rows)


def _go_on(rows: Sequence[NewNotification]) -> None:
    """Whoever is next hears of it."""
    if failed := [row_of(new) for new in rows if new.status == Status.FAILED]:
        from delivery_gateway import dead_letters

        dead_letters.open_letters(failed)
    wake_lanes(CHANNELS[channel].lane for channel in {new.channel for new in rows if new.status == Status.QUEUED})
    if any(new.status == Status.PENDING for new in rows):
        wake("route")


def _columns(rows: Sequence[NewNotification]) -> dict[str, Sequence[Any]]:
    given = {name: [getattr(new, name) for new in rows] for name in AS_GIVEN}
    return given | {name: [derive(new) for new in rows] for name, derive in DERIVED.items()}


def _values(new: NewNotification) -> dict[str, Any]:
    values = dict(zip(AS_GIVEN, READ(new), strict=True))
    values.update((name, derive(new)) for name, derive in DERIVED.items())
    return values


def row_of(new: NewNotification) -> NotificationLog:
    """The row that would be opened, not stored."""
    return NotificationLog(**_values(new))


def wake_lanes(lanes: Iterable[str]) -> None:
    for lane in set(lanes):
        wake(f"deliver.{lane}")


def pending(limit: int) -> list[NotificationLog]:
    """Rows that wait for routing, locked for the caller's transaction; tenants take turns."""
    return TURNS.take(NotificationLog.objects.filter(status=Status.PENDING), PENDING, limit)


def settle(verdicts: Sequence[Verdict], *, now: datetime) -> None:
    """Writes what routing decided for rows that `pending` has locked."""
    queued: dict[int | None, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.status == Status.QUEUED:
            queued.setdefault(verdict.decision, []).append(verdict)
    for decision, alike in queued.items():
        rows = NotificationLog.objects.filter(id__in=[v.id for v in alike])
        rows.update(status=Status.QUEUED, routed_at=now, decision=decision)
        wake_lanes(v.lane for v in alike)
    if others := [v for v in verdicts if v.status != Status.QUEUED]:
        values = [
            (v.id, v.status, v.reason, v.detail[:500], v.due_at, now if v.is_final else None, v.decision)
            for v in others
        ]
        update_from_values(NotificationLog, SETTLED, values)


def promote_due(*, now: datetime, limit: int) -> int:
    """Scheduled rows whose time has come: back to routing if they never were routed, to their lane otherwise.

    A row that waited for a turn with its provider keeps the time of that turn. What quiet hours hold is not promoted:
    the router takes it from where it is (`held`).
    """
    with transaction.atomic():
        due = NotificationLog.objects.select_for_update(skip_locked=True).filter(
            status=Status.SCHEDULED, due_at__lte=now
        )
        due = due.exclude(reason__in=decisions.HELD)
        rows = list(due.order_by("due_at").values_list("id", "routed_at", "lane")[:limit])
        unrouted = [row[0] for row in rows if row[1] is None]
        routed = [row[0] for row in rows if row[1] is not None]
        if unrouted:
            NotificationLog.objects.filter(id__in=unrouted).update(status=Status.PENDING, due_at=None)
            wake("route")
        if routed:
            turn = Case(When(reason=pacing.REASON, then=F("due_at")))
            NotificationLog.objects.filter(id__in=routed).update(status=Status.QUEUED, due_at=turn)
            wake_lanes(row[2] for row in rows if row[1] is not None)
        if rows:
            crash_point(Point.DUE_PROMOTED)
    return len(rows)


def record_bounces(ids: Sequence[uuid.UUID], *, reason: str) -> int:
    """Rows that were sent. Their end is the caller's to count."""
    rows = NotificationLog.objects.in_scope().filter(id__in=ids, status__in=sources_of(Status.BOUNCED))
    return rows.update(status=Status.BOUNCED, reason=reason)


def release_held() -> int:
    """What waited for a paused integration goes back to its lane once the integration is repaired."""
    held = NotificationLog.objects.filter(status=Status.HELD, reason="integration_paused")
    waiting_for = set(held.values_list("integration_id", flat=True).distinct())
    repaired = waiting_for - paused_among(waiting_for)
    if not repaired:
        return 0
    rows = held.filter(integration_id__in=repaired)
    lanes = list(rows.values_list("lane", flat=True).distinct())
    released = rows.update(status=Status.QUEUED, reason="", detail="")
    wake_lanes(lanes)
    return released
