"""What most failures have in common."""

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from delivery_gateway.states import Status
from monitoring.dashboard.figures import EARLIER, Figures, Scope
from monitoring.dashboard.period import clock

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Cause:
    channel: str
    code: str
    count: int
    share: int  # of all failures, in percent
    first: str
    last: str
    link: str


def causes(figures: Figures, scope: Scope) -> list[Cause]:
    """The most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    slots: dict[tuple[str, str], list[int]] = {}
    for (slot, channel, what, code), count in figures.counts.items():
        if what == Status.FAILED and slot != EARLIER:
            counts[channel, code] += count
            slots.setdefault((channel, code), []).append(slot)
    failed = counts.total()
    return [
        Cause(
            channel,
            code,
            count,
            round(100 * count / failed),
            clock(min(slots[channel, code])),
            clock(max(slots[channel, code])),
            _letters(channel, code, scope),
        )
        for (channel, code), count in counts.most_common(SHOWN)
    ]


def _letters(channel: str, code: str, scope: Scope) -> str:
    query = {"channel": channel, "code": code, "replayed_at_is_set": "no", "tenant": scope.tenant_id or ""}
    own = urlencode({name: value for name, value in query.items() if value})
    return f"{reverse('admin:delivery_gateway_deadletter_changelist')}?{own}"
