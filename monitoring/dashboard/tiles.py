"""The figures at the top: each with its change, and the list that is behind it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from delivery_gateway.counters import ACCEPTED
from delivery_gateway.minutes import REPLAYED
from delivery_gateway.states import Status
from monitoring.dashboard.figures import Figures, Scope, Standing
from monitoring.dashboard.period import Period
from monitoring.dashboard.queue import Waiting

SPENT = (Status.SENT, Status.FAILED, Status.EXPIRED)  # what had to be sent, and how it ended
MESSAGES, LETTERS = "delivery_gateway_notificationlog", "delivery_gateway_deadletter"


@dataclass(frozen=True, slots=True)
class Tile:
    """`tone` of the change: good, bad, or nothing."""

    title: str
    value: str
    change: str
    tone: str
    link: str


def tiles(figures: Figures, standing: Standing, waiting: Waiting, *, scope: Scope, period: Period) -> list[Tile]:
    common = {"tenant": scope.tenant_id, "mode": scope.mode, "age": period.chosen.age}
    accepted, earlier = figures.total(ACCEPTED), figures.total(ACCEPTED, is_earlier=True)
    sent, sent_earlier = figures.total(Status.SENT), figures.total(Status.SENT, is_earlier=True)
    return [
        Tile("Accepted", short(accepted), _relative(accepted, earlier), "", _list(MESSAGES, **common)),
        Tile(
            "Sent", short(sent), _relative(sent, sent_earlier), "", _list(MESSAGES, **common | {"status": Status.SENT})
        ),
        _success(figures, _list(MESSAGES, **common | {"status": Status.FAILED})),
        _latency(figures, _list(MESSAGES, **common | {"status": Status.SENT})),
        _queue(waiting, standing, _list(MESSAGES, **common | {"status": Status.QUEUED, "age": ""})),
        _letters(figures, standing, _list(LETTERS, tenant=scope.tenant_id, replayed_at_is_set="no")),
    ]


def _success(figures: Figures, link: str) -> Tile:
    now, earlier = success(figures), success(figures, is_earlier=True)
    change, tone = "no earlier figure", ""
    if now is not None and earlier is not None:
        points = now - earlier
        change, tone = f"{points:+.1f} points", "good" if points > 0.05 else "bad" if points < -0.05 else ""
    return Tile("Success", f"{now:.1f} %" if now is not None else "–", change, tone, link)


def success(figures: Figures, *, is_earlier: bool = False) -> float | None:
    ended = figures.total(*SPENT, is_earlier=is_earlier)
    return 100 * figures.total(Status.SENT, is_earlier=is_earlier) / ended if ended else None


def _latency(figures: Figures, link: str) -> Tile:
    now, earlier = figures.latency_of_all(0.95), figures.latency_of_all(0.95, is_earlier=True)
    change, tone = "no earlier figure", ""
    if now is not None and earlier:
        part = 100 * (now - earlier) / earlier
        change, tone = f"{part:+.0f} %", "bad" if part > 10 else "good" if part < -10 else ""
    return Tile("p95 to sent", seconds(now), change, tone, link)


def _queue(waiting: Waiting, standing: Standing, link: str) -> Tile:
    depth = f"{short(waiting.depth)}{'+' if waiting.is_capped else ''}"
    oldest = f"oldest {seconds(waiting.oldest)}, " if waiting.depth else ""
    tone = "bad" if waiting.oldest > 120 else ""
    return Tile("In the queue", depth, f"{oldest}{short(standing.under_way)} under way", tone, link)


def _letters(figures: Figures, standing: Standing, link: str) -> Tile:
    change = figures.total(Status.FAILED) - figures.total(REPLAYED)
    tone = "bad" if change > 0 else "good" if change < 0 else ""
    return Tile("Dead letters", short(standing.dead_letters), f"{change:+,} in this time", tone, link)


def _relative(now: int, earlier: int) -> str:
    if not earlier:
        return "no earlier figure"
    return f"{100 * (now - earlier) / earlier:+.0f} %" if now < 10 * earlier else f"from {short(earlier)}"


def short(number: int) -> str:
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if number >= size:
            return f"{number / (1_000 if letter == 'k' else size):.1f} {letter}"
    return f"{number:,}"


def seconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.0f} h"


def _list(model: str, **filters: object) -> str:
    query = urlencode({name: str(value) for name, value in filters.items() if value})
    return f"{reverse(f'admin:{model}_changelist')}?{query}"
