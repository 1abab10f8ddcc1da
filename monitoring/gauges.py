"""What waits, where, and for how long: read from the database when somebody scrapes.

Each query walks a partial index that holds only what waits, in its order, so that no plan can prefer the table, and
stops at MOST rows: a backlog of a million costs no more to look at than one of MOST. Kept for KEPT_SECONDS.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from delivery_gateway.leases import queue_of
from delivery_gateway.ledger import PENDING
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.states import Status
from monitoring.deadline import TookTooLong, ask_database
from notification_processor.models import Event
from notification_processor.routing import GENERATED
from traffic_control.fair_queue import Queue, heads

MOST = 10_000  # rows; more are not counted
TENANTS = 1_000  # in each queue; more are not looked at
SEARCHED = 10  # rows of each tenant, among which the first that waits for the first time is looked for
AGES = (0, 1, 5, 30, 120, 600)  # seconds
STRAIGHT = ("created_at", "routed_at", "reason")
KEPT_SECONDS = 5.0
SECONDS = 2.0  # for all queries together


@dataclass(frozen=True, slots=True)
class Waiting:
    """Depth and oldest age by queue, and counts by queue or channel. `overdue`: seconds that a dispatcher is late.

    `tenants`: by queue and age in seconds, how many tenants have something waiting for at least so long.
    """

    depth: Mapping[str, int] = field(default_factory=dict)
    oldest: Mapping[str, float] = field(default_factory=dict)
    in_flight: Mapping[str, int] = field(default_factory=dict)
    scheduled: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    overdue: Mapping[str, float] = field(default_factory=dict)
    tenants: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def latest(self) -> tuple[str, float]:
        """What is longest behind, and for how many seconds: a queue's oldest, or what the dispatcher is late with."""
        return max({**self.oldest, **self.overdue}.items(), key=itemgetter(1), default=("", 0.0))


_lock = threading.Lock()
_kept: tuple[float, Waiting | None] = (float("-inf"), None)


def waiting() -> Waiting | None:
    """At most KEPT_SECONDS old; None when the database does not answer."""
    global _kept
    with _lock:
        if time.monotonic() - _kept[0] > KEPT_SECONDS:
            _kept = (time.monotonic(), _asked())
        return _kept[1]


def forget() -> None:
    global _kept
    _kept = (float("-inf"), None)


def _asked() -> Waiting | None:
    try:
        return ask_database(read, seconds=SECONDS)
    except (DatabaseError, TookTooLong):
        return None


def read(now: datetime | None = None) -> Waiting:
    now = now or timezone.now()
    rows, lanes = NotificationLog.objects.all(), settings.LANES
    queued = {lane: rows.filter(lane=lane, status=Status.QUEUED).order_by("tenant", "rank") for lane in lanes}
    accepted = Event.objects.filter(state=Event.State.ACCEPTED, due_at__lte=now).order_by("due_at")
    generated = Event.objects.filter(state=Event.State.GENERATED).order_by("tenant", "id")
    pending = rows.filter(status=Status.PENDING).order_by("tenant", "id")
    scheduled = rows.filter(status=Status.SCHEDULED).order_by("due_at")
    leased = rows.filter(status=Status.SENDING).order_by("lease_until")
    sending = _by_value("lane", leased.values("lane"))
    first = {
        "route": _firsts(generated, GENERATED, "due_at") + _firsts(pending, PENDING, "created_at"),
        **{f"deliver.{lane}": _firsts(found, queue_of(lane), *STRAIGHT) for lane, found in queued.items()},
    }
    since = {
        "process": _head(accepted, "due_at"),
        **{queue: min(found, default=None) for queue, found in first.items()},
    }
    return Waiting(
        depth={
            "process": _capped(accepted, "due_at"),
            "route": _capped(generated, "id") + _capped(pending, "id"),
            **{f"deliver.{lane}": _capped(found, "rank") for lane, found in queued.items()},
        },
        tenants={
            (queue, str(age)): sum(_seconds(at, now) >= age for at in found)
            for queue, found in first.items()
            for age in AGES
        },
        oldest={queue: _seconds(at, now) for queue, at in since.items()},
        in_flight={f"deliver.{lane}": sending.get(lane, 0) for lane in lanes},
        scheduled=_by_value("channel", scheduled.values("channel")),
        held=_by_value("channel", rows.filter(status=Status.HELD).order_by("integration_id").values("channel")),
        dead_letters=_open_letters(),
        overdue={
            "scheduled": _seconds(_head(scheduled, "due_at"), now),
            "lapsed": _seconds(_head(leased, "lease_until"), now),
        },
    )


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _capped(rows: QuerySet[Any], indexed: str) -> int:
    return rows.values_list(indexed)[:MOST].count()


def _by_value(column: str, rows: QuerySet[Any], *, where: str = "1 = 1") -> dict[str, int]:
    """How many of the first MOST rows have each value of the column. `where` is SQL of ours, about further columns."""
    first, params = rows[:MOST].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}, COUNT(*) FROM ({first}) AS first WHERE {where} GROUP BY {column}", params)  # noqa: S608 - all of it is ours
        return dict(cursor.fetchall())


def _open_letters() -> dict[str, int]:
    """Among the newest: an index knows which are new, none which are open."""
    newest = DeadLetter.objects.order_by("-id").values("channel", "replayed_at", "discarded_at")
    return _by_value("channel", newest, where="replayed_at IS NULL AND discarded_at IS NULL")


def _head(rows: QuerySet[Any], column: str) -> datetime | None:
    return rows.values_list(column, flat=True).first()


def _firsts(rows: QuerySet[Any], queue: Queue, *columns: str) -> list[datetime]:
    """Since when the first of each tenant waits. What comes back from a wait (a retry, a limit) has a reason, and does
    not say since when it has been queued again: the next one counts.
    """
    since: dict[Any, datetime] = {}
    for tenant, created_at, *more in heads(rows, queue, *columns, tenants=TENANTS, of_each=SEARCHED):
        routed_at, reason = more or (None, "")
        if not reason:
            since.setdefault(tenant, routed_at or created_at)
    return list(since.values())
