"""What is older than it need be kept: months are taken off and dropped; where there are none, rows are deleted.

A month goes only as a whole and only when everything in it has come to its end, and the oldest goes first. So no
attempt outlives the time in which its notification could still be looked at, and nothing that was accepted is lost.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import OperationalError, connection

from delivery_gateway.models import (
    Attempt,
    DeadLetter,
    NotificationCopy,
    NotificationLog,
    ProviderEvent,
    SandboxMessage,
)
from delivery_gateway.partitions import LEDGER, TABLES, Partition, briefly, month_of, partitions_of
from delivery_gateway.states import Status
from traffic_control.ids import uuid7_at

UNFINISHED = (Status.PENDING, Status.QUEUED, Status.SENDING, Status.SCHEDULED, Status.HELD)
TRIES, PAUSE_SECONDS = 10, 0.5
CHUNK = 5_000
ROWS_PER_DELETE = 500
MONTH_AT_END = re.compile(r"_(until_)?(\d{4})_(\d{2})$")


@dataclass(frozen=True, slots=True)
class Month:
    """All partitions that end at one moment. `is_finished`: nothing in it waits for anything."""

    end: datetime
    partitions: tuple[Partition, ...]
    is_finished: bool


def months_before(moment: datetime) -> list[Month]:
    """Those that end by then, oldest first."""
    old = [p for table in TABLES for p in partitions_of(table) if p.end is not None and p.end <= moment]
    by_end = {end: tuple(p for p in old if p.end == end) for end in sorted(p.end for p in old if p.end)}
    return [Month(end, found, all(map(_is_finished, found))) for end, found in by_end.items()]


def _is_finished(partition: Partition) -> bool:
    """By the partial indexes that hold what waits: one look-up for each status."""
    if partition.table != LEDGER:
        return True
    with connection.cursor() as cursor:
        looks = " OR ".join(f"EXISTS (SELECT FROM {partition.name} WHERE status = '{s}')" for s in UNFINISHED)
        cursor.execute(f"SELECT {looks}")
        return not cursor.fetchone()[0]


def detach(month: Month) -> list[str]:
    """The month's tables, which are tables of their own from now on: to be archived, or dropped."""
    for partition in month.partitions:
        # An autovacuum at work on it gives way to a waiting lock after a second. Nobody waits for us in that second.
        _patiently(
            f"LOCK TABLE {partition.name} IN SHARE UPDATE EXCLUSIVE MODE",
            f"ALTER TABLE {partition.table} DETACH PARTITION {partition.name}",
        )
    return [partition.name for partition in month.partitions]


def drop(tables: list[str]) -> None:
    """Of months that are detached: nobody else waits while their files are removed."""
    for table in tables:
        _patiently(f"DROP TABLE {table}")


def _patiently(*statements: str) -> None:
    """DETACH needs the table for itself for an instant. (CONCURRENTLY would not, but PostgreSQL refuses it beside a
    DEFAULT partition.) It waits a moment for that; if it would have to wait longer, it lets others pass and asks again.
    """
    for number in range(TRIES):
        try:
            with briefly(), connection.cursor() as cursor:
                cursor.execute("; ".join(statements))
                return
        except OperationalError:
            if number == TRIES - 1:
                raise
            time.sleep(PAUSE_SECONDS)


def detached() -> dict[str, datetime]:
    """Tables of months that were taken off and are still there, each with the end of its month."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition"
            " AND relnamespace = current_schema()::regnamespace AND relname ~ %s ORDER BY relname",
            [f"^({'|'.join(TABLES)})_(until_)?[0-9]{{4}}_[0-9]{{2}}$"],
        )
        return {name: _end_in(name) for (name,) in cursor.fetchall()}


def _end_in(name: str) -> datetime:
    found = MONTH_AT_END.search(name)
    assert found is not None  # noqa: S101 - the query has asked for such names only
    month = datetime(int(found[2]), int(found[3]), 1, tzinfo=UTC)
    return month if found[1] else month_of(month, later=1)


def delete_letters_before(moment: datetime) -> int:
    """Dead letters whose notifications were dropped: there is nothing left to send again. With them goes what
    providers told of such notifications, and of what they were copies.
    """
    events = ProviderEvent.objects.filter(id__lt=uuid7_at(moment)).order_by("id")
    sum(_in_chunks(lambda: list(events.values_list("id", flat=True)[:CHUNK]), _delete_events))
    NotificationCopy.objects.filter(id__lt=uuid7_at(moment)).delete()  # made by hand, so there are few
    letters = DeadLetter.objects.filter(notification_id__lt=uuid7_at(moment)).order_by("notification_id")
    return sum(_in_chunks(lambda: list(letters.values_list("id", flat=True)[:CHUNK]), _delete_letters))


def _delete_events(ids: list[uuid.UUID]) -> None:
    ProviderEvent.objects.filter(id__in=ids).delete()


def _delete_letters(ids: list[uuid.UUID]) -> None:
    DeadLetter.objects.filter(id__in=ids).delete()


def delete_before(moment: datetime) -> int:
    """Finished rows accepted before then, with all that belongs to them, a few at a time: for want of partitions."""
    SandboxMessage.objects.filter(id__lt=uuid7_at(moment)).delete()
    old = NotificationLog.objects.filter(id__lt=uuid7_at(moment)).exclude(status__in=UNFINISHED).order_by("id")
    return sum(_in_chunks(lambda: list(old.values_list("id", flat=True)[:ROWS_PER_DELETE]), _delete_rows))


def _delete_rows(ids: list[uuid.UUID]) -> None:
    Attempt.objects.filter(notification_id__in=ids).delete()
    DeadLetter.objects.filter(notification_id__in=ids).delete()
    ProviderEvent.objects.filter(notification_id__in=ids).delete()
    NotificationCopy.objects.filter(id__in=ids).delete()
    NotificationLog.objects.filter(id__in=ids).delete()


def _in_chunks(find: Callable[[], list[uuid.UUID]], delete: Callable[[list[uuid.UUID]], None]) -> Iterator[int]:
    while ids := find():
        delete(ids)
        yield len(ids)
