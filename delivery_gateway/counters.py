"""How many notifications came to what, per tenant, day, channel and mode, without counting the ledger; and when.

A batch adds what it did in one statement, inside the transaction that does it, so the sums are as true as the rows. A
row counts as `accepted` once it is decided on, and as what it has come to when that is final; waiting, retries and
claims count for nothing, and a direct send at the door is not counted until the router gets to it: intake stays one
statement. A transaction calls at most one of these, as its last step: the rows of the counters are locked in order,
and only until the commit that follows.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Sum

from delivery_gateway import minutes
from delivery_gateway.latency import bucket_of
from delivery_gateway.models import DeliveryCount, MinuteCount, NotificationLog
from delivery_gateway.states import TERMINAL, Status
from traffic_control.ids import time_of

if TYPE_CHECKING:  # it calls this module
    from delivery_gateway.ledger import NewNotification, Verdict

ACCEPTED = "accepted"
DETAIL_LENGTH = 100
EPOCH, DAY_MS = date(1970, 1, 1).toordinal(), 86_400_000  # the first 48 bits of an id are milliseconds since then
Key = tuple[uuid.UUID, date, str, str, str]  # tenant, day, channel, mode, status
Row = Any  # a NotificationLog, or the NewNotification with an id that it was opened from


@dataclass(frozen=True, slots=True)
class Share:
    """What a selection of days has come to. `open` is under way: queued, being sent, waiting for a time or a person."""

    accepted: int
    open: int
    by_status: dict[str, int]


@dataclass(slots=True)
class Batch:
    """What one transaction counts: by the day a row was accepted on, and by the minute it is now."""

    days: Counter[Key] = field(default_factory=Counter)
    moments: Counter[minutes.Key] = field(default_factory=Counter)

    def count(self, row: Row, what: str, detail: str = "") -> None:
        self.days[key_of(row, what)] += 1
        self.note(row, what, detail)

    def note(self, row: Row, what: str, detail: str = "") -> None:
        """Something that happened now and is no part of any sum of a day."""
        self.moments[row.tenant_id, row.channel, row.mode, str(what), detail[:DETAIL_LENGTH]] += 1

    def decided(self, row: Row, status: Status, reason: str) -> None:
        self.count(row, ACCEPTED)
        if status in TERMINAL:
            self.count(row, status, reason)


def opened(rows: "Iterable[NotificationLog | NewNotification]") -> None:
    """Rows that were opened with the router's decision in them; a row given twice was opened once."""
    batch = Batch()
    for row in {row.id: row for row in rows if row.routed_at is not None}.values():
        batch.decided(row, Status(row.status), row.reason)
    _add(batch)


def settled(rows: Sequence[NotificationLog], verdicts: Iterable["Verdict"]) -> None:
    """Rows that were opened to be routed, and now were."""
    released((), rows, verdicts)


def released(
    digests: "Iterable[NewNotification]", rows: Sequence[NotificationLog], verdicts: Iterable["Verdict"]
) -> None:
    """As `settled`, with the digests that were opened for some of them."""
    batch = Batch()
    by_id = {row.id: row for row in rows}
    for verdict in verdicts:
        if verdict.is_final:
            batch.decided(by_id[verdict.id], verdict.status, verdict.reason)
    for digest in digests:
        batch.decided(digest, digest.status, digest.reason)
    _add(batch)


def finished(rows: Iterable[NotificationLog], bounced: Iterable[uuid.UUID] = ()) -> None:
    """Rows as they have become; those of `bounced` came to that end at once.

    One that came to its lane unrouted has been decided on by this, its first claim.
    """
    batch, gone, now = Batch(), set(bounced), time.time()
    for row in rows:
        status = Status.BOUNCED if row.id in gone else Status(row.status)
        if row.routed_at is None:
            batch.count(row, ACCEPTED)
        if status == Status.SENT:
            batch.count(row, status, str(bucket_of(now - time_of(row.id))))
        elif status in TERMINAL:
            batch.count(row, status, row.error_code or row.reason)
    _add(batch)


def stopped(rows: Iterable[NotificationLog], status: Status) -> None:
    """Rows that were cancelled or expired, as they were before: those not yet decided on are, by this."""
    batch = Batch()
    for row in rows:
        batch.count(row, status)
        if row.routed_at is None:
            batch.count(row, ACCEPTED)
    _add(batch)


def ended(rows: Iterable[NotificationLog]) -> None:
    """Rows that were sent, as they have become since: delivered or bounced."""
    batch = Batch()
    for row in rows:
        batch.days[key_of(row, Status.SENT)] -= 1
        batch.count(row, row.status, minutes.AFTERWARDS)
    _add(batch)


def replayed(rows: Iterable[NotificationLog]) -> None:
    """Failed rows that are under way again."""
    batch = Batch()
    for row in rows:
        batch.days[key_of(row, Status.FAILED)] -= 1
        batch.note(row, minutes.REPLAYED)
    _add(batch)


def key_of(row: Row, status: str) -> Key:
    day = date.fromordinal(EPOCH + (row.id.int >> 80) // DAY_MS)
    return row.tenant_id, day, row.channel, row.mode, str(status)


def _add(batch: Batch) -> None:
    """One statement, its rows in one order for everybody: two batches wait for each other, but never in a circle."""
    if not batch.days:
        return
    days = [(*key, count) for key, count in sorted(batch.days.items())]
    moments = list(minutes.rows_of(batch.moments, int(time.time() // 60)))
    parts = [_upsert(days), minutes.upsert(_places(moments))]
    values = [_bound(DeliveryCount, days), _bound(MinuteCount, moments)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"WITH days AS ({parts[0]}) {parts[1]}", values[0] + values[1])
        else:
            for statement, bound in zip(parts, values, strict=True):
                cursor.execute(statement, bound)


def _upsert(days: Sequence[tuple[Any, ...]]) -> str:
    table = DeliveryCount._meta.db_table
    return (
        f"INSERT INTO {table} AS c (tenant_id, day, channel, mode, status, count) {_places(days)} "
        "ON CONFLICT (tenant_id, day, channel, mode, status) DO UPDATE SET count = c.count + excluded.count"
    )


def _places(rows: Sequence[tuple[Any, ...]]) -> str:
    row = f"({', '.join(['%s'] * len(rows[0]))})"
    return f"VALUES {', '.join([row] * len(rows))}"


def _bound(model: type[DeliveryCount | MinuteCount], rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    fields = model._meta.concrete_fields
    return [f.get_db_prep_save(value, connection) for row in rows for f, value in zip(fields, row, strict=True)]


def totals(tenant_id: uuid.UUID, *, since: date, until: date, mode: str = "live") -> Share:
    """What was accepted from `since` up to but not on `until` (days of UTC), and what came of it so far."""
    rows = DeliveryCount.objects.filter(tenant_id=tenant_id, day__gte=since, day__lt=until, mode=mode)
    found = dict(rows.values_list("status").annotate(number=Sum("count")).order_by("status"))
    accepted = found.pop(ACCEPTED, 0)
    by_status = {status: number for status, number in found.items() if number}
    return Share(accepted, accepted - sum(by_status.values()), by_status)
