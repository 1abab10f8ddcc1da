"""How many notifications came to what, per tenant, day, channel and mode, without counting the ledger.

A batch adds what it did in one statement, inside the transaction that does it, so the sums are as true as the rows. A
row counts as `accepted` once it is decided on, and as what it has come to when that is final; waiting, retries and
claims count for nothing, and a direct send at the door is not counted until the router gets to it: intake stays one
statement. A transaction calls at most one of these, as its last step: the rows of the counters are locked in order,
and only until the commit that follows.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Sum

from delivery_gateway.models import DeliveryCount, NotificationLog
from delivery_gateway.states import TERMINAL, Status

if TYPE_CHECKING:  # it calls this module
    from delivery_gateway.ledger import NewNotification, Verdict

ACCEPTED = "accepted"
EPOCH, DAY_MS = date(1970, 1, 1).toordinal(), 86_400_000  # the first 48 bits of an id are milliseconds since then
Key = tuple[uuid.UUID, date, str, str, str]  # tenant, day, channel, mode, status
Row = Any  # a NotificationLog, or the NewNotification with an id that it was opened from


@dataclass(frozen=True, slots=True)
class Share:
    """What a selection of days has come to. `open` is under way: queued, being sent, waiting for a time or a person."""

    accepted: int
    open: int
    by_status: dict[str, int]


def opened(rows: "Iterable[NotificationLog | NewNotification]") -> None:
    """Rows that were opened with the router's decision in them; a row given twice was opened once."""
    counts: Counter[Key] = Counter()
    for row in {row.id: row for row in rows if row.routed_at is not None}.values():
        _decided(counts, row, Status(row.status))
    _add(counts)


def settled(rows: Sequence[NotificationLog], verdicts: Iterable["Verdict"]) -> None:
    """Rows that were opened to be routed, and now were."""
    counts: Counter[Key] = Counter()
    by_id = {row.id: row for row in rows}
    for verdict in verdicts:
        _decided(counts, by_id[verdict.id], verdict.status)
    _add(counts)


def finished(rows: Iterable[NotificationLog], bounced: Iterable[uuid.UUID] = ()) -> None:
    """Rows as they have become; those of `bounced` came to that end at once.

    One that came to its lane unrouted has been decided on by this, its first claim.
    """
    counts: Counter[Key] = Counter()
    gone = set(bounced)
    for row in rows:
        status = Status.BOUNCED if row.id in gone else Status(row.status)
        if row.routed_at is None:
            counts[key_of(row, ACCEPTED)] += 1
        if status in TERMINAL:
            counts[key_of(row, status)] += 1
    _add(counts)


def stopped(rows: Iterable[NotificationLog], status: Status) -> None:
    """Rows that were cancelled or expired, as they were before: those not yet decided on are, by this."""
    counts: Counter[Key] = Counter()
    for row in rows:
        counts[key_of(row, status)] += 1
        if row.routed_at is None:
            counts[key_of(row, ACCEPTED)] += 1
    _add(counts)


def ended(rows: Iterable[NotificationLog]) -> None:
    """Rows that were sent, as they have become since: delivered or bounced."""
    counts: Counter[Key] = Counter()
    for row in rows:
        counts[key_of(row, Status.SENT)] -= 1
        counts[key_of(row, row.status)] += 1
    _add(counts)


def replayed(rows: Iterable[NotificationLog]) -> None:
    """Failed rows that are under way again."""
    _add(Counter({key: -count for key, count in Counter(key_of(row, Status.FAILED) for row in rows).items()}))


def _decided(counts: Counter[Key], row: Row, status: Status) -> None:
    counts[key_of(row, ACCEPTED)] += 1
    if status in TERMINAL:
        counts[key_of(row, status)] += 1


def key_of(row: Row, status: str) -> Key:
    day = date.fromordinal(EPOCH + (row.id.int >> 80) // DAY_MS)
    return row.tenant_id, day, row.channel, row.mode, str(status)


def _add(counts: Counter[Key]) -> None:
    """One statement, its rows in one order for everybody: two batches wait for each other, but never in a circle."""
    if not counts:
        return
    table, fields = DeliveryCount._meta.db_table, DeliveryCount._meta.concrete_fields
    rows = sorted((*key, count) for key, count in counts.items())
    places = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS c (tenant_id, day, channel, mode, status, count) VALUES {places} "  # noqa: S608 - values are bound
            "ON CONFLICT (tenant_id, day, channel, mode, status) DO UPDATE SET count = c.count + excluded.count",
            [f.get_db_prep_save(value, connection) for row in rows for f, value in zip(fields, row, strict=True)],
        )


def totals(tenant_id: uuid.UUID, *, since: date, until: date, mode: str = "live") -> Share:
    """What was accepted from `since` up to but not on `until` (days of UTC), and what came of it so far."""
    rows = DeliveryCount.objects.filter(tenant_id=tenant_id, day__gte=since, day__lt=until, mode=mode)
    found = dict(rows.values_list("status").annotate(number=Sum("count")).order_by("status"))
    accepted = found.pop(ACCEPTED, 0)
    by_status = {status: number for status, number in found.items() if number}
    return Share(accepted, accepted - sum(by_status.values()), by_status)
