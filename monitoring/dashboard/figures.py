"""What happened, by slot, channel and kind: one query of the minutes, one of the days."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db.models import Case, F, QuerySet, Sum, Value, When
from django.utils import timezone

from delivery_gateway.counters import ACCEPTED
from delivery_gateway.latency import quantile
from delivery_gateway.minutes import AFTERWARDS, REPLAYED
from delivery_gateway.models import DeliveryCount, MinuteCount
from delivery_gateway.states import TERMINAL, Status
from monitoring.dashboard.period import Period
from tenants.models import Tenant

EARLIER = -1  # the slot of all that happened in the stretch before
LOOKED_BACK = timedelta(days=31)  # what is still under way since then is not counted
FINAL = {str(status) for status in TERMINAL}
Happened = tuple[int, str, str, str]  # slot, channel, what, detail


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures. No tenant: everybody's."""

    tenant_id: uuid.UUID | None
    mode: str

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Both tables lead with the tenant: naming each lets a question about all of them use the key."""
        own = {"tenant_id": self.tenant_id} if self.tenant_id else {"tenant_id__in": Tenant.objects.values("id")}
        return rows.filter(**own)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand now. `modes`: those in which anything was ever accepted."""

    under_way: int
    dead_letters: int
    modes: frozenset[str]


@dataclass(frozen=True)
class Figures:
    """Everything is read off once and asked often: a week of many channels has ten thousand counts."""

    counts: Counter[Happened] = field(default_factory=Counter)

    @cached_property
    def kinds(self) -> Counter[Happened]:
        """Without details, but for AFTERWARDS."""
        found: Counter[Happened] = Counter()
        for (slot, channel, what, detail), count in self.counts.items():
            found[slot, channel, what, detail if detail == AFTERWARDS else ""] += count
        return found

    @cached_property
    def buckets(self) -> dict[int, Counter[int]]:
        """Of what was sent, per slot."""
        found: dict[int, Counter[int]] = {}
        for (slot, _, what, detail), count in self.counts.items():
            if what == Status.SENT:
                found.setdefault(slot, Counter())[int(detail)] += count
        return found

    def total(self, *what: str, is_earlier: bool = False) -> int:
        """How often these happened in the period, or in the stretch before."""
        counts = self.kinds.items()
        return sum(n for (slot, _, kind, _), n in counts if kind in what and (slot == EARLIER) is is_earlier)

    @property
    def channels(self) -> list[str]:
        return sorted({channel for _, channel, _, _ in self.kinds})

    def of(self, channel: str) -> dict[int, dict[str, int]]:
        """Per slot, how often each thing happened on the channel."""
        found: dict[int, dict[str, int]] = {}
        for (slot, on, what, _), count in self.kinds.items():
            if on == channel:
                counts = found.setdefault(slot, {})
                counts[what] = counts.get(what, 0) + count
        return found

    def by_slot(self, counts: Callable[[str, str], int]) -> Counter[int]:
        """Per slot the sum of what `counts` makes (1, 0 or -1) of each thing that happened."""
        found: Counter[int] = Counter()
        for (slot, _, what, detail), count in self.kinds.items():
            if sign := counts(what, detail):
                found[slot] += sign * count
        return found

    def latency(self, share: float) -> dict[int, float]:
        """Per slot, EARLIER included, the time that this share of what was sent took at most."""
        times = {slot: quantile(found, share) for slot, found in self.buckets.items()}
        return {slot: seconds for slot, seconds in times.items() if seconds is not None}

    def latency_of_all(self, share: float, *, is_earlier: bool = False) -> float | None:
        found: Counter[int] = Counter()
        for slot, counts in self.buckets.items():
            if (slot == EARLIER) is is_earlier:
                found.update(counts)
        return quantile(found, share)


def arrival(what: str, detail: str) -> int:
    """1 for what came under way, -1 for what came to its end."""
    if what in (ACCEPTED, REPLAYED):
        return 1
    return -1 if what in FINAL and detail != AFTERWARDS else 0


def read(scope: Scope, period: Period) -> Figures:
    rows = scope.of(MinuteCount.objects.filter(mode=scope.mode, minute__gte=period.before, minute__lt=period.end))
    step = period.chosen.step
    slot = Case(When(minute__gte=period.start, then=F("minute") - F("minute") % step), default=Value(EARLIER))
    found = rows.annotate(slot=slot).values_list("slot", "channel", "what", "detail").order_by()
    counts: Counter[Happened] = Counter()
    for begin, channel, what, detail, count in found.annotate(number=Sum("count")):
        counts[begin, channel, what, detail] = int(count)
    return Figures(counts)


def standing(scope: Scope) -> Standing:
    """By the day on which messages were accepted."""
    since = timezone.now().date() - LOOKED_BACK
    rows = scope.of(DeliveryCount.objects.filter(day__gte=since)).values_list("mode", "status").order_by()
    found = {(mode, status): int(number) for mode, status, number in rows.annotate(number=Sum("count"))}
    own = {status: number for (mode, status), number in found.items() if mode == scope.mode}
    ended = sum(number for status, number in own.items() if status in FINAL)
    return Standing(
        under_way=max(0, own.get(ACCEPTED, 0) - ended),
        dead_letters=own.get(Status.FAILED, 0),
        modes=frozenset(mode for mode, status in found if status == ACCEPTED),
    )
