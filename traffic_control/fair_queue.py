"""Taking rows of a queue so that tenants share it: whoever has one row waiting is not behind another's million.

While a queue is short, whoever takes from it takes all of it, and the order is of no account. Once a take came back
full, the next ones go round the tenants who have something waiting, from where the last one stopped: each gives as
many rows as come to a fair share, and those who have more give the rest, so that no turn is wasted. Nothing is stored
and nobody is punished for a burst: what counts is who has rows waiting now.

Of an index on (…, tenant, order) that holds only what waits, a take reads one entry for each tenant it visits, and the
rows it takes: the length of the queue is of no account. It visits as many tenants as it takes rows, at most.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Case, Count, Model, QuerySet, When, Window
from django.db.models.functions import RowNumber

NOBODY = uuid.UUID(int=0)
FROM_THE_FIRST = f"'{NOBODY}'"
T = TypeVar("T")
M = TypeVar("M", bound=Model)
tenant_of: Callable[[Any], uuid.UUID] = attrgetter("tenant_id")


@dataclass(frozen=True, slots=True)
class Queue:
    """`waiting`, `columns` and `taken_if` are SQL of ours; `order` is that of one tenant's rows.

    `waiting` is what the index holds; a row also has to fulfil `taken_if`.
    """

    table: str
    waiting: str
    order: str
    columns: str = "*"
    taken_if: str = "true"


@dataclass(slots=True)
class Turns:
    """Where one process stands in one queue."""

    is_crowded: bool = False
    after: uuid.UUID = NOBODY

    def ctes(self, queue: Queue) -> str:
        """Common table expressions, for behind WITH RECURSIVE: the rows of `q` are locked, at most `most` of them, and
        its column `go_on_after` has to come back with them. They take the parameters of `params`.
        """
        return _in_turn(queue) if self.is_crowded else _all(queue)

    def params(self, most: int) -> dict[str, Any]:
        return {"most": most, "after": self.after}

    def note(self, taken: Iterable[M], order: str, most: int) -> list[M]:
        """What was taken: one row of each tenant in turn, then the second of each, and so on."""
        rows: list[Any] = sorted(taken, key=attrgetter(order))
        rows.sort(key=lambda row: (row.tenant_id <= self.after, row.tenant_id))
        self.is_crowded = len(rows) >= most
        if rows:
            self.after = rows[0].go_on_after
        return interleaved(rows)

    def by_window(self, rows: QuerySet[M], order: str, most: int) -> list[M]:
        """For SQLite, where nobody takes at the same time: it reads all that wait."""
        turn = Window(RowNumber(), partition_by="tenant_id", order_by=order)
        is_behind = Case(When(tenant_id__lte=self.after, then=1), default=0)
        ordered: Any = rows.annotate(turn=turn, is_behind=is_behind).order_by("turn", "is_behind", "tenant_id")
        taken: list[Any] = list(ordered[:most])
        for row in taken[:1]:
            is_cut = len(taken) == most and taken[-1].turn == 1
            self.after = (taken[-1] if is_cut else row).tenant_id
        return taken


class AllTurns:
    """Those of this process, by the name of the queue."""

    def __init__(self) -> None:
        self._turns: defaultdict[str, Turns] = defaultdict(Turns)

    def of(self, name: str) -> Turns:
        return self._turns[name]

    def take(self, rows: QuerySet[M], queue: Queue, most: int) -> list[M]:
        """Rows of the queue, locked for the caller's transaction; tenants take turns. `rows`: the same for SQLite."""
        turns = self.of(queue.waiting)
        if connection.vendor != "postgresql":
            return turns.by_window(rows, queue.order, most)
        statement = f"WITH RECURSIVE {turns.ctes(queue)} SELECT * FROM q"  # noqa: S608 - all of it is ours
        return turns.note(rows.model._default_manager.raw(statement, turns.params(most)), queue.order, most)


def heads(rows: QuerySet[M], queue: Queue, *columns: str, tenants: int, of_each: int) -> list[tuple[Any, ...]]:
    """(tenant id, *columns) of the first few that wait of each tenant, or of as many tenants. `rows` says where."""
    if connection.vendor != "postgresql":
        found = rows.order_by("tenant_id", queue.order).values_list("tenant_id", *columns)
        return list(found[: tenants * of_each])
    with connection.cursor() as cursor:
        cursor.execute(_heads(queue, columns), {"tenants": tenants, "of_each": of_each})
        return list(cursor.fetchall())


def depths(rows: QuerySet[M], queue: Queue, *, tenants: int, most: int) -> dict[uuid.UUID, int]:
    """How many wait of each tenant, counted up to `most`; of as many tenants. `rows` says where."""
    if connection.vendor != "postgresql":
        counted = rows.order_by("tenant_id").values_list("tenant_id").annotate(number=Count("pk"))
        return dict(counted[:tenants])
    with connection.cursor() as cursor:
        cursor.execute(_depths(queue), {"tenants": tenants, "most": most})
        return dict(cursor.fetchall())


def interleaved(rows: Sequence[T]) -> list[T]:
    """One row of each tenant, then the second of each, and so on; each tenant's own keep their order."""
    by_tenant: dict[uuid.UUID, list[T]] = {}
    for row in rows:
        by_tenant.setdefault(tenant_of(row), []).append(row)
    if len(by_tenant) < 2:
        return list(rows)
    return [row for turn in zip_longest(*by_tenant.values()) for row in turn if row is not None]


@cache
def _all(queue: Queue) -> str:
    return f"""q AS MATERIALIZED (
        SELECT {queue.columns}, tenant_id AS go_on_after FROM {queue.table} AS w
        WHERE {queue.waiting} AND {queue.taken_if}
        ORDER BY tenant_id, {queue.order} LIMIT %(most)s FOR UPDATE OF w SKIP LOCKED
    )"""  # noqa: S608 - all of it is ours


@cache
def _in_turn(queue: Queue) -> str:
    """The locks are taken row by row as the limits let them through: none is held on a row that is not taken.

    Next time it goes on after the last it has visited. If these were all, another one is first to give the rest. There
    are never more than `most`; it is said once more for the planner, which would read a whole table to join thousands.
    """
    waiting = f"{queue.table} AS w WHERE {queue.waiting} AND {queue.taken_if}"
    rows = f"SELECT {queue.columns} FROM {waiting} AND w.tenant_id"  # noqa: S608
    locked = "FOR UPDATE OF w SKIP LOCKED"

    return f"""
        {_walk("later", queue, "%(after)s")},
        {_walk("earlier", queue, FROM_THE_FIRST, "AND tenant_id <= %(after)s")},
        circle AS MATERIALIZED (
            SELECT tenant_id, row_number() OVER () AS place FROM (
                SELECT tenant_id FROM later UNION ALL SELECT tenant_id FROM earlier LIMIT %(most)s
            ) AS both_parts
        ),
        next_time AS MATERIALIZED (
            SELECT tenant_id AS go_on_after FROM circle ORDER BY place < %(most)s, place LIMIT 1
        ),
        share AS MATERIALIZED (SELECT %(most)s / greatest(1, count(*)) AS of_each FROM circle),
        first AS MATERIALIZED (
            SELECT one.* FROM circle, LATERAL (
                {rows} = circle.tenant_id ORDER BY w.{queue.order} LIMIT (SELECT of_each FROM share) {locked}
            ) AS one LIMIT %(most)s
        ),
        rest AS MATERIALIZED (SELECT %(most)s - count(*) AS number FROM first),
        with_more AS MATERIALIZED (
            SELECT tenant_id FROM circle JOIN first USING (tenant_id)
            GROUP BY tenant_id, place HAVING count(*) >= (SELECT of_each FROM share) ORDER BY place
        ),
        more AS MATERIALIZED (
            SELECT one.* FROM with_more, LATERAL (
                {rows} = with_more.tenant_id AND w.id NOT IN (SELECT id FROM first)
                ORDER BY w.{queue.order} LIMIT (SELECT number FROM rest) {locked}
            ) AS one LIMIT (SELECT number FROM rest)
        ),
        q AS MATERIALIZED (
            SELECT * FROM (SELECT * FROM first UNION ALL SELECT * FROM more) AS both_of, next_time LIMIT %(most)s
        )
    """  # noqa: S608


def _walk(name: str, queue: Queue, start: str, until: str = "") -> str:
    """Tenants with something waiting, in order; evaluated as far as somebody wants more of them."""
    tenants = f"SELECT tenant_id FROM {queue.table} WHERE {queue.waiting} AND tenant_id"  # noqa: S608
    return f"""{name} AS (
        ({tenants} > {start} {until} ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT next.tenant_id FROM {name},
            LATERAL ({tenants} > {name}.tenant_id {until} ORDER BY tenant_id LIMIT 1) AS next
    )"""  # noqa: S608


@cache
def _heads(queue: Queue, columns: Sequence[str]) -> str:
    return f"""
        WITH RECURSIVE {_walk("tenants", queue, FROM_THE_FIRST)}
        SELECT tenants.tenant_id, head.* FROM (SELECT tenant_id FROM tenants LIMIT %(tenants)s) AS tenants, LATERAL (
            SELECT {", ".join(columns)} FROM {queue.table} AS w
            WHERE {queue.waiting} AND w.tenant_id = tenants.tenant_id ORDER BY w.{queue.order} LIMIT %(of_each)s
        ) AS head
    """  # noqa: S608


@cache
def _depths(queue: Queue) -> str:
    return f"""
        WITH RECURSIVE {_walk("tenants", queue, FROM_THE_FIRST)}
        SELECT tenants.tenant_id, depth.number
        FROM (SELECT tenant_id FROM tenants LIMIT %(tenants)s) AS tenants, LATERAL (
            SELECT count(*) AS number FROM (
                SELECT FROM {queue.table} AS w WHERE {queue.waiting} AND w.tenant_id = tenants.tenant_id LIMIT %(most)s
            ) AS counted
        ) AS depth
    """  # noqa: S608
