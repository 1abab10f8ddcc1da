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

# The statuses stand in the text, as in the conditions of the indexes.
EVENTS = f"SELECT 1 FROM {Event._meta.db_table} WHERE state = "  # noqa: S608 - our own words
LEDGER = f"SELECT 1 FROM {NotificationLog._meta.db_table} WHERE status = "  # noqa: S608
ACCEPTED = f"{EVENTS}'{Event.State.ACCEPTED}' AND due_at <= %s"
GENERATED = f"{EVENTS}'{Event.State.GENERATED}'"
PENDING = f"{LEDGER}'{Status.PENDING}'"
REPLAYS = f"SELECT 1 FROM {ReplayJob._meta.db_table} WHERE state = '{ReplayJob.State.RUNNING}' AND next_at <= %s"  # noqa: S608
QUEUED = f"{LEDGER}'{Status.QUEUED}' AND lane = %s"


@dataclass(frozen=True, slots=True)
class Routable:
    """Whether planned events and direct sends wait for the router."""

    events: bool
    sends: bool


def routable() -> Routable:
    events, sends = _ask(f"SELECT EXISTS ({GENERATED}), EXISTS ({PENDING})", [])
    return Routable(bool(events), bool(sends))


def stages(now: datetime) -> list[str]:
    """Those that have work, by the names that wake them."""
    looks = [ACCEPTED, f"{GENERATED} UNION ALL {PENDING}", REPLAYS, *[QUEUED] * len(settings.LANES)]
    names = ["process", "route", "replay", *(f"deliver.{lane}" for lane in settings.LANES)]
    due: Any = Event._meta.get_field("due_at")
    statement = f"SELECT {', '.join(f'EXISTS ({rows})' for rows in looks)}"
    moment = due.get_db_prep_value(now, connection)
    found = _ask(statement, [moment, moment, *settings.LANES])
    return [name for name, has_work in zip(names, found, strict=True) if has_work]


def _ask(statement: str, values: Sequence[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
