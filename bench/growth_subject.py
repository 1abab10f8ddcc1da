"""One ledger of one size, in a process of its own: told on stdin what to do, answers on stdout with milliseconds.

Django has to be set up before this is imported.

A line is a word and a number: `seed 10000`, `list 20`, `page:messages 20`. The answer: medians of that many calls.
"""

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from bench.growth_pages import Console, paths
from bench.growth_past import surround
from delivery_gateway import counters, history, leases, ledger, partitions, retention, selectors, stopping
from delivery_gateway.contract import Receipt
from delivery_gateway.history import Past
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from tenants.services import register

DAYS, TENANTS = 90, 20
BATCH, PAGE = 100, 51
READY = 1_000  # rows in each state that something waits in
LANE = "email"


@dataclass(frozen=True)
class Known:
    """What the questions are about: the tenant with half of the rows, and a notification in the middle of its time."""

    tenant: uuid.UUID
    row: NotificationLog
    half: uuid.UUID


class Subject:
    def __init__(self) -> None:
        call_command("migrate", verbosity=0)
        self.known: Known
        self.console = Console()
        self.pages: Mapping[str, str] = {}

    def seed(self, rows: int) -> None:
        now = timezone.now()
        tenants = [register(f"T{n}", f"t{n}@example.com").tenant.id for n in range(TENANTS)]
        past = Past(rows=rows, tenants=tenants, first=now - timedelta(days=DAYS), last=now - timedelta(minutes=10))
        for done in history.generate(past):
            if done % 1_000_000 == 0:
                print(f"{done:,} rows", file=sys.stderr, flush=True)
        surround(tenants, rows=rows)
        for status in (Status.PENDING, Status.QUEUED, Status.SCHEDULED):
            self.add(tenants[:1], status, READY)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        self.known = _known(tenants[0])
        self.pages = paths(self.known.row)

    def add(self, tenants: list[uuid.UUID], status: Status, rows: int) -> None:
        now = timezone.now()
        first = now - timedelta(minutes=9)
        past = Past(rows=rows, tenants=tenants, first=first, last=now, status=status, channels=[LANE])
        for _ in history.generate(past):
            pass

    def backlog(self, rows: int) -> None:
        """So many rows are queued from now on, whatever was before."""
        there = NotificationLog.objects.filter(lane=LANE, status=Status.QUEUED).count()
        if rows > there:
            self.add([self.known.tenant], Status.QUEUED, rows - there)

    def settle(self, _: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE delivery_gateway_notificationlog")

    # --- Reading, as the API does ---
    def list(self) -> None:
        _read(self._rows())

    def page_deep(self) -> None:
        _read(self._rows().filter(pk__lt=self.known.half))

    def list_failed(self) -> None:
        _read(self._rows().filter(status=Status.FAILED))

    def history_of_user(self) -> None:
        _read(self._rows().filter(user_id=self.known.row.user_id))

    def detail(self) -> None:
        row = self._rows().filter(id=self.known.row.id).get()
        selectors.timeline_of(row)

    def event(self) -> None:
        _read(self._rows().filter(event_id=self.known.row.event_id))
        selectors.counts_by_status(self.known.tenant, self.known.row.event_id)

    def dead_letters(self) -> None:
        _read(selectors.dead_letters_of(self.known.tenant))

    def counters(self) -> None:
        today = datetime.now(UTC).date()
        counters.totals(self.known.tenant, since=today - timedelta(days=30), until=today)

    def _rows(self) -> Any:
        return selectors.notifications_of(self.known.tenant)

    # --- Working, as the stages do; undone, so that each call finds the same ---
    def claim(self) -> None:
        with undone():
            assert len(leases.claim(LANE, limit=BATCH, now=timezone.now())) == BATCH

    def pending(self) -> None:
        with undone():
            assert len(ledger.pending(BATCH)) == BATCH

    def promote(self) -> None:
        with undone():
            assert ledger.promote_due(now=timezone.now(), limit=BATCH) == BATCH

    def nothing_due(self) -> None:
        stopping.expire(now=timezone.now())
        leases.release_lapsed(now=timezone.now(), limit=BATCH)

    # --- Not undone ---
    def deliver(self) -> None:
        """A batch claimed, and recorded as sent in portions as a worker would."""
        rows = leases.claim(LANE, limit=BATCH, now=timezone.now())
        assert len(rows) == BATCH
        for start in range(0, BATCH, 25):
            outcomes = [Outcome(row, Receipt(provider_id="m"), timezone.now()) for row in rows[start : start + 25]]
            leases.finish(outcomes)

    def drop_month(self) -> None:
        before = partitions.month_of(timezone.now() - timedelta(days=DAYS), later=2)
        month = [month for month in retention.months_before(before) if month.is_finished][-1]
        rows = sum(partition.rows for partition in month.partitions if partition.table == partitions.LEDGER)
        began = time.perf_counter()
        tables = retention.detach(month)
        detached = time.perf_counter()
        retention.drop(tables)
        ended = time.perf_counter()
        told = f"{(detached - began) * 1000:,.0f} ms, and dropped in {(ended - detached) * 1000:,.0f} ms more"
        print(f"a month of {rows:,} notifications was taken off in {told}", file=sys.stderr, flush=True)

    def bytes(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
            print(f"the database has {cursor.fetchone()[0]}", file=sys.stderr, flush=True)


def _known(tenant: uuid.UUID) -> Known:
    middle = NotificationLog.objects.filter(tenant_id=tenant, status=Status.SENT)
    half = timezone.now() - timedelta(days=DAYS // 2)
    row = middle.filter(id__lt=partitions.uuid7_at(half)).order_by("-id")[0]
    return Known(tenant, row, row.id)


def _read(rows: Any) -> None:
    list(rows.order_by("-pk")[:PAGE])


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def measured(call: Callable[[], None], times: int) -> tuple[float, float]:
    """Milliseconds, and those of them that a processor worked, here and in PostgreSQL: medians of so many calls."""
    taken = []
    for _ in range(times):
        began, worked = time.perf_counter(), cpu_seconds()
        call()
        taken.append((1000 * (time.perf_counter() - began), 1000 * (cpu_seconds() - worked)))
    wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
    return wall, cpu


def cpu_seconds() -> float:
    backend = connection.connection.info.backend_pid
    return time.process_time() + int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def main() -> None:
    subject = Subject()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        word, number = line.split()
        print(json.dumps(answer(subject, word, int(number))), flush=True)


def answer(subject: Subject, word: str, number: int) -> Any:
    if word in ("seed", "backlog", "settle"):
        return getattr(subject, word)(number)
    kind, _, name = word.partition(":")
    if kind == "queries":
        return subject.console.queries(subject.pages[name])
    if kind == "page":
        return measured(partial(subject.console.look, subject.pages[name]), number)
    return measured(getattr(subject, word), number)
