"""How long the words of a message are kept: CONTENT_DAYS, or fewer where a tenant wants fewer.

A sweep walks over a tenant's old rows in the order of their ids, a window at a time, each in a short transaction, and
notes how far it has come. What was not finished when it came by keeps the mark where it is: the next sweep looks again.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from tenants.models import SweepMark, Tenant
from traffic_control.ids import uuid7_at

NOWHERE = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Window:
    """What one look at `rows` ids came to: all of them in order, those not finished yet, how many were cleared."""

    ids: Sequence[uuid.UUID]
    unfinished: frozenset[uuid.UUID] = frozenset()
    cleared: int = 0

    def settled(self) -> uuid.UUID | None:
        """The last id before the first that is not finished; None when that is the first of all."""
        last = None
        for one in self.ids:
            if one in self.unfinished:
                return last
            last = one
        return last


Clear = Callable[[uuid.UUID, uuid.UUID, uuid.UUID], Window]  # tenant, after this id, before that one


def days_of(own: int | None) -> int:
    """A tenant may have less kept than the install does, not more. 0: kept for ever."""
    return min(filter(None, (own, settings.CONTENT_DAYS)), default=0)


def sweep(kind: str, clear: Clear, *, now: datetime) -> Iterator[int]:
    """Yields after each window how many rows were cleared; drop it anywhere, and the next one goes on from there."""
    for tenant_id, own in Tenant.objects.order_by("id").values_list("id", "content_days"):
        if days := days_of(own):
            yield from _of_tenant(kind, tenant_id, uuid7_at(now - timedelta(days=days)), clear)


def _of_tenant(kind: str, tenant_id: uuid.UUID, before: uuid.UUID, clear: Clear) -> Iterator[int]:
    after, may_move = None, True
    while True:
        with transaction.atomic():
            mark = _mark(kind, tenant_id)
            if mark is None:
                return  # another process is at it
            window = clear(tenant_id, after or mark.cursor, before)
            if not window.ids:
                return
            settled = window.settled()
            if may_move and settled:
                SweepMark.objects.filter(pk=mark.pk).update(cursor=settled)
        may_move = may_move and not window.unfinished
        after = window.ids[-1]
        yield window.cleared


def _mark(kind: str, tenant_id: uuid.UUID) -> SweepMark | None:
    marks = SweepMark.objects.filter(kind=kind, tenant_id=tenant_id)
    if not marks.exists():
        SweepMark.objects.bulk_create([SweepMark(kind=kind, tenant_id=tenant_id)], ignore_conflicts=True)
    return marks.select_for_update(skip_locked=True).first()


class Sweeper:
    """Sweeps in the spare time of a process: `spend` goes on where it was, for so many seconds."""

    def __init__(self, begin: Callable[[datetime], Iterator[int]]) -> None:
        self._begin = begin
        self._under_way: Iterator[int] | None = None

    def start(self, now: datetime) -> None:
        """A new sweep, unless one is under way."""
        self._under_way = self._under_way or self._begin(now)

    def spend(self, seconds: float) -> int:
        """How many rows that was."""
        cleared, until = 0, time.monotonic() + seconds
        while self._under_way is not None and time.monotonic() < until:
            found = next(self._under_way, None)
            if found is None:
                self._under_way = None
            cleared += found or 0
        return cleared
