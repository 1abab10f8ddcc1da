"""What is drawn, as Chart.js takes it; the same numbers stand in a table below, for those who read rather than see."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from delivery_gateway.states import Status
from monitoring.dashboard.figures import Figures, Standing, arrival
from monitoring.dashboard.period import Period
from monitoring.dashboard.tiles import SPENT

# Okabe and Ito's colours, which colour-blind people can tell apart.
BLUE, SKY, GREEN, ORANGE, RED, PINK, GREY = (
    "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#8c8c8c",
)  # fmt: skip
OUTCOMES = {
    "Sent": (BLUE, (Status.SENT,)),
    "Suppressed": (GREY, (Status.SUPPRESSED,)),
    "Failed": (RED, (Status.FAILED,)),
    "Bounced": (ORANGE, (Status.BOUNCED,)),
    "Cancelled or expired": (PINK, (Status.CANCELLED, Status.EXPIRED)),
}
CHANNEL_COLOURS = (BLUE, ORANGE, GREEN, RED, PINK, SKY, GREY)
QUANTILES: tuple[tuple[float, str, tuple[int, ...]], ...] = ((0.5, BLUE, ()), (0.95, RED, (6, 3)))
# So that lines differ in more than their colour.
DASHES: tuple[tuple[int, ...], ...] = (
    (),
    (6, 3),
    (2, 2),
    (8, 2, 2, 2),
    (1, 3),
)


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    colour: str
    data: Sequence[float | None]
    dash: Sequence[int] = ()
    is_filled: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """`kind`: line or bar. `unit` stands behind each number."""

    key: str
    title: str
    kind: str
    labels: Sequence[str]
    lines: Sequence[Line]
    unit: str = ""
    is_stacked: bool = False
    highest: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Of the table: newest first, without the slots in which nothing was."""
        columns = list(zip(*(line.data for line in self.lines), strict=True)) or [()] * len(self.labels)
        rows = [(label, list(values)) for label, values in zip(self.labels, columns, strict=True) if any(values)]
        return [(label, [f"{v:g}" if v is not None else "–" for v in values]) for label, values in reversed(rows)]


def plots(figures: Figures, standing: Standing, period: Period) -> list[Plot]:
    return [
        _throughput(figures, period),
        _success(figures, period),
        _latency(figures, period),
        _under_way(figures, standing, period),
    ]


def _throughput(figures: Figures, period: Period) -> Plot:
    lines = []
    for label, (colour, statuses) in OUTCOMES.items():
        found = figures.by_slot(one_of(statuses))
        lines.append(Line(label, colour, [found[slot] for slot in period.slots]))
    return Plot("throughput", "What became of messages", "bar", period.labels, lines, is_stacked=True)


def one_of(statuses: Sequence[str]) -> Callable[[str, str], int]:
    return lambda what, _: int(what in statuses)


def _success(figures: Figures, period: Period) -> Plot:
    lines = []
    for number, channel in enumerate(figures.channels):
        counts = figures.of(channel)
        data = [_share(counts, slot) for slot in period.slots]
        if any(value is not None for value in data):
            colour, dash = CHANNEL_COLOURS[number % len(CHANNEL_COLOURS)], DASHES[number % len(DASHES)]
            lines.append(Line(channel.replace("_", "-"), colour, data, dash))
    return Plot("success", "Success by channel", "line", period.labels, lines, unit="%", highest=100)


def _share(counts: dict[int, dict[str, int]], slot: int) -> float | None:
    found = counts.get(slot, {})
    ended = sum(found.get(status, 0) for status in SPENT)
    return round(100 * found.get(Status.SENT, 0) / ended, 1) if ended else None


def _latency(figures: Figures, period: Period) -> Plot:
    lines = []
    for share, colour, dash in QUANTILES:
        found = figures.latency(share)
        data = [round(found[slot], 3) if slot in found else None for slot in period.slots]
        lines.append(Line(f"p{share * 100:.0f}", colour, data, dash))
    return Plot("latency", "Time from acceptance to sent", "line", period.labels, lines, unit="s")


def _under_way(figures: Figures, standing: Standing, period: Period) -> Plot:
    """Backwards from what is under way now: before a slot there was less by what arrived in it."""
    change, depth, data = figures.by_slot(arrival), standing.under_way, []
    for slot in reversed(period.slots):
        data.append(max(0, depth))
        depth -= change[slot]
    line = Line("Under way", SKY, data[::-1], is_filled=True)
    return Plot("under_way", "Under way: queued, scheduled, being sent", "line", period.labels, [line])
