"""The months of the tables that grow with every message: PostgreSQL keeps each in a partition of its own.

A UUIDv7 begins with its time, so the id says which month a row is of, no query needs a second column to find it, and
a month is dropped without reading it. Months are UTC. What fits no month goes to the DEFAULT partition: nothing is
refused because a month was forgotten, and `strays` tells.
"""

import logging
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from delivery_gateway.models import Attempt, NotificationLog, SandboxMessage
from traffic_control.ids import time_of, uuid7_at

log = logging.getLogger(__name__)

LEDGER = NotificationLog._meta.db_table
TABLES = tuple(model._meta.db_table for model in (NotificationLog, Attempt, SandboxMessage))
MONTHS_AHEAD = 2
LOCK_SECONDS = 2  # a table that is busy for longer is left for the next time, rather than making others wait behind us
MOST = 10_000  # stray rows; more are not counted
# A ledger row changes three times, each time as a new version, for its status is in the conditions of indexes. With
# room for the versions on its page, WAL and table came out a fifth smaller than with full pages.
ROOMY = "WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)"
BOUNDS = re.compile(r"FOR VALUES FROM \((.+)\) TO \((.+)\)")


@dataclass(frozen=True, slots=True)
class Partition:
    """`start` is None for the oldest, which has no lower end; both are None for the DEFAULT one.

    `rows` is an estimate of PostgreSQL's, -1 before the first ANALYZE.
    """

    table: str
    name: str
    start: datetime | None
    end: datetime | None
    rows: int
    bytes: int

    @property
    def is_default(self) -> bool:
        return self.end is None


def is_partitioned() -> bool:
    """Whether there are months at all: not on SQLite."""
    return connection.vendor == "postgresql"


def month_of(moment: datetime, *, later: int = 0) -> datetime:
    """The first moment of that month, or of one so many months later."""
    years, month = divmod(moment.month - 1 + later, 12)
    return datetime(moment.year + years, month + 1, 1, tzinfo=UTC)


def create_ahead(*, now: datetime | None = None, months: int = MONTHS_AHEAD) -> list[str]:
    """This month and so many after it, where they are missing; the names of those made. Any number may call it."""
    start = month_of((now or timezone.now()).astimezone(UTC))
    return create([month_of(start, later=number) for number in range(months + 1)])


def keep_ahead(*, now: datetime) -> None:
    """As `create_ahead`, for the dispatcher, which comes again: a busy table is left for the next time."""
    try:
        made = create_ahead(now=now)
    except OperationalError as exc:
        log.warning("could not create partitions; trying again", extra={"reason": str(exc).splitlines()[0]})
    else:
        if made:
            log.info("created partitions", extra={"names": ", ".join(made)})


def create(months: Sequence[datetime]) -> list[str]:
    if not is_partitioned():
        return []
    return [name for table in TABLES for name in _create(table, months)]


def _create(table: str, months: Sequence[datetime]) -> list[str]:
    """Looks before it locks: on all but one day of the month there is nothing to do."""
    if not _missing(table, months):
        return []
    made = []
    for month in months:
        with briefly(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('partitions'))")
            if _missing(table, [month]):
                made.append(_add(table, month))
    return made


def _missing(table: str, months: Sequence[datetime]) -> list[datetime]:
    there = [partition for partition in partitions_of(table) if partition.end is not None]
    return [
        month
        for month in months
        if not any((p.start is None or p.start <= month) and month < (p.end or month) for p in there)
    ]


def _add(table: str, month: datetime) -> str:
    """Made beside and attached, which lets others read and write the table meanwhile, as CREATE … PARTITION OF would
    not. Rows that had come before their month move into it: only the DEFAULT partition is locked, and it is small.
    """
    name, low, high = f"{table}_{month:%Y_%m}", uuid7_at(month), uuid7_at(month_of(month, later=1))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL) {ROOMY if table == LEDGER else ''}")
        cursor.execute(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {table}_default WHERE id >= %s AND id < %s RETURNING *) "  # noqa: S608 - names are ours
            f"INSERT INTO {name} SELECT * FROM moved",
            [low, high],
        )
        cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')")
    return name


@contextmanager
def briefly() -> Iterator[None]:
    """A transaction that raises OperationalError rather than wait long for a lock."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        yield


def partitions_of(table: str) -> list[Partition]:
    """Oldest first, the DEFAULT one last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_get_expr(relpartbound, oid), reltuples::bigint, pg_total_relation_size(oid)"
            " FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass",
            [table],
        )
        found = [_partition(table, *row) for row in cursor.fetchall()]
    return sorted(found, key=lambda p: (p.is_default, p.end or p.start or datetime.min.replace(tzinfo=UTC)))


def _partition(table: str, name: str, bounds: str, rows: int, size: int) -> Partition:
    found = BOUNDS.match(bounds)
    start, end = (_moment(found[1]), _moment(found[2])) if found else (None, None)
    return Partition(table, name, start, end, rows, size)


def _moment(bound: str) -> datetime | None:
    if bound in ("MINVALUE", "MAXVALUE"):
        return None
    return datetime.fromtimestamp(time_of(uuid.UUID(bound.strip("'"))), UTC)


def strays() -> dict[str, int]:
    """Per table, rows in its DEFAULT partition, counted up to MOST; only tables that have any."""
    counted = {}
    for table in TABLES if is_partitioned() else ():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM (SELECT FROM {table}_default LIMIT {MOST}) AS first")  # noqa: S608 - names are ours
            counted[table] = int(cursor.fetchone()[0])
    return {table: count for table, count in counted.items() if count}
