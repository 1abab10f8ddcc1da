"""What waits for whom, asked in one statement: a look at a few partial indexes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from delivery_gateway.models import NotificationLog
from delivery_gateway.replay_job import ReplayJob
from delivery_gateway.states import Status
from notification_processor.models import Event
from traffic_control import decisions

# The statuses stand in the text, as in the conditions of the indexes.
EVENTS = f"SELECT 1 FROM {Event._meta.db_table} WHERE state = "  # noqa: S608 - our own words
LEDGER = f"SELECT 1 FROM {NotificationLog._meta.db_table} WHERE status = "  # noqa: S608
ACCEPTED = f"{EVENTS}'{Event.State.ACCEPTED}' AND due_at <= %s"
GENERATED = f"{EVENTS}'{Event.State.GENERATED}'"
PENDING = f"{LEDGER}'{Status.PENDING}'"
HELD = f"{LEDGER}'{Status.SCHEDULED}' AND due_at <= %s AND reason IN {decisions.HELD}"
REPLAYS = f"SELECT 1 FROM {ReplayJob._meta.db_table} WHERE state = '{ReplayJob.State.RUNNING}' AND next_at <= %s"  # noqa: S608
QUEUED = f"{LEDGER}'{Status.QUEUED}' AND lane = %s"


@dataclass(frozen=True, slots=True)
class Routable:
    """Whether planned events and direct sends wait for the router, and what quiet hours held until now."""

    events: bool
    sends: bool
    held: bool


def routable(now: datetime) -> Routable:
    statement = f"SELECT EXISTS ({GENERATED}), EXISTS ({PENDING}), EXISTS ({HELD})"
    return Routable(*map(bool, _ask(statement, [_bound(now)])))


def stages(now: datetime) -> list[str]:
    """Those that have work, by the names that wake them."""
    looks = [ACCEPTED, f"{GENERATED} UNION ALL {PENDING} UNION ALL {HELD}", REPLAYS, *[QUEUED] * len(settings.LANES)]
    names = ["process", "route", "replay", *(f"deliver.{lane}" for lane in settings.LANES)]
    statement = f"SELECT {', '.join(f'EXISTS ({rows})' for rows in looks)}"
    found = _ask(statement, [*[_bound(now)] * 3, *settings.LANES])
    return [name for name, has_work in zip(names, found, strict=True) if has_work]


def _bound(now: datetime) -> Any:
    due: Any = Event._meta.get_field("due_at")
    return due.get_db_prep_value(now, connection)


def _ask(statement: str, values: Sequence[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
