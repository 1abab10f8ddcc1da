"""Rows that were near when workers died, one of which may be what kills them.

With many messages under way at once, a dead worker leaves them all suspect. So a row that one more death would condemn
is sent with nothing else under way in its process, and the ledger says so beforehand: then only the row that kills its
worker can end as poison, and those near it are sent. One at a time; the others go back to their lane, so that they are
not held by whoever dies. Known limit: a death that takes other processes along, such as a machine out of memory.
"""

import time
from collections.abc import Callable, Sequence

from django.utils import timezone

from delivery_gateway import leases
from delivery_gateway.flight import NOT_STARTED, Flight, Job, record
from delivery_gateway.harbour import harbour
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog
from delivery_gateway.retry import is_suspect, step_after_refusal
from delivery_gateway.states import Status
from traffic_control.crash_points import Point, crash_point

PATIENCE = 8.0  # seconds for what is under way to land; then a send of 15 s still ends inside its task
COME_BACK = 3.0  # seconds after which it is tried again, when something slow did not land
Ready = Callable[[NotificationLog], list[Job]]
DETAIL = "Workers have died while they sent this; it waits until nothing else is under way."


def apart(rows: Sequence[NotificationLog]) -> tuple[list[NotificationLog], list[NotificationLog]]:
    """Those that may be sent beside each other, and those that may not."""
    suspected = [row for row in rows if is_suspect(row.crashes)]
    return ([row for row in rows if not is_suspect(row.crashes)] if suspected else list(rows)), suspected


def send_one(suspected: Sequence[NotificationLog], flight: Flight, ready: Ready) -> None:
    """Sends the first with nothing else under way, or puts it off."""
    first, *others = suspected
    if others:
        record([Outcome(row, None, timezone.now(), step=NOT_STARTED) for row in others])
    if not _has_landed(flight):
        record([_later(first)])
    elif _is_set_apart(first):
        crash_point(Point.SUSPECT_SET_APART)
        flight.take(ready(first))
        flight.land()


def _has_landed(flight: Flight) -> bool:
    """Whether nothing is under way in this process. Only the task that asks could begin anything."""
    until = time.monotonic() + PATIENCE
    flight.land(PATIENCE)
    return not flight.size and harbour().wait(until - time.monotonic())


def _is_set_apart(row: NotificationLog) -> bool:
    """Says in the ledger that whatever kills its worker now is this row. False when it is not ours any more."""
    ours = NotificationLog.objects.filter(id=row.id, fence=row.fence, status=Status.SENDING)
    return ours.update(reason=leases.ALONE) == 1


def _later(row: NotificationLog) -> Outcome:
    step = step_after_refusal(leases.facts_of(row), COME_BACK, "suspect", now=timezone.now())
    return Outcome(row, None, timezone.now(), step=step, detail=DETAIL)
