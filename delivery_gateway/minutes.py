"""What came of notifications, minute by minute: what the dashboard draws without looking at the ledger.

`delivery_gateway.counters` writes it along with its sums of days, in the same statement. Those say what became of what
was accepted on a day; these say what happened in a minute. As minutes grow old they are merged into quarters of an
hour, then pairs of hours, then dropped, so the table stays as small as its tenants and channels are few.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db import connection, transaction

from delivery_gateway.models import MinuteCount

Key = tuple[uuid.UUID, str, str, str, str]  # tenant, channel, mode, what happened, detail
REPLAYED = "replayed"
AFTERWARDS = "afterwards"  # detail of what became of a message that had been counted as sent
# Minutes that are older are merged into slots of so many: as wide as the plots that still draw them have steps.
MERGED = ((3 * 60, 15), (50 * 60, 120))
KEPT = 31 * 24 * 60
COLUMNS = ("tenant_id", "minute", "channel", "mode", "what", "detail", "count")
TABLE = MinuteCount._meta.db_table
MERGE = (
    "SELECT tenant_id, minute - minute %% %s, channel, mode, what, detail, sum(count) FROM {source} "
    "WHERE minute < %s AND minute %% %s <> 0 GROUP BY 1, 2, 3, 4, 5, 6"
)


def minute_of(moment: datetime) -> int:
    """Minutes since 1970."""
    return int(moment.timestamp() // 60)


def rows_of(counts: Counter[Key], minute: int) -> Iterator[tuple[object, ...]]:
    """As they are inserted, in one order for everybody."""
    for (tenant, channel, mode, what, detail), count in sorted(counts.items()):
        yield tenant, minute, channel, mode, what, detail, count


def upsert(source: str, alias: str = "m") -> str:
    return (
        f"INSERT INTO {TABLE} AS {alias} ({', '.join(COLUMNS)}) {source} "
        "ON CONFLICT (tenant_id, minute, channel, mode, what, detail) "
        f"DO UPDATE SET count = {alias}.count + excluded.count"
    )


def age(now: datetime) -> None:
    """Merges and drops what is old enough. Several may do so at once: each row is merged by one of them."""
    for after, size in MERGED:
        _merge(before=_start(now, after, size), size=size)
    MinuteCount.objects.filter(minute__lt=minute_of(now) - KEPT).delete()


def _start(now: datetime, after: int, size: int) -> int:
    """Of a slot, so that none is merged while it is still written to."""
    minute = minute_of(now) - after
    return minute - minute % size


def _merge(*, before: int, size: int) -> None:
    values = [size, before, size]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            gone = f"DELETE FROM {TABLE} WHERE minute < %s AND minute %% %s <> 0 RETURNING *"  # noqa: S608 - ours
            merged = upsert(MERGE.format(source="gone"))
            cursor.execute(f"WITH gone AS ({gone}) {merged}", [before, size, *values])
        else:
            cursor.execute(upsert(MERGE.format(source=TABLE)), values)
            cursor.execute(f"DELETE FROM {TABLE} WHERE minute < %s AND minute %% %s <> 0", [before, size])  # noqa: S608
