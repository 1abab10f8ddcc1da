"""From slices to a table: which rounds count, medians, and the median of the ratios within each round."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from bench.load import Slice
from bench.scenarios import DESIGNS, PLAIN, PRODUCT, TUNED, Scenario
from bench.servers import DatabaseWork

Number = Callable[["Measured"], float]
Round = Mapping[str, list["Measured"]]  # the slices of each design
TITLES = {PRODUCT: "Traffic Control", PLAIN: "plain", TUNED: "tuned"}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One slice in its place. Round 0 warms up and never counts; `fault` says why a slice does not count."""

    scenario: str
    round: int
    design: str
    slice: Slice
    database: DatabaseWork
    fault: str = ""

    @property
    def messages(self) -> int:
        return max(1, self.slice.delivered or self.slice.requests)


def wrong(slice_: Slice) -> str:
    """What the system itself did wrong; a figure from such a slice would be worth nothing."""
    if slice_.hang_ups or any(not 200 <= status < 300 for status in slice_.statuses):
        return f"answers {dict(slice_.statuses)}, {slice_.hang_ups} hang-ups"
    if slice_.delivered != slice_.expected:
        return f"{slice_.delivered} deliveries where {slice_.expected} were due"
    return ""


def disturbed(slice_: Slice, *, limit: float) -> str:
    """Whether something else used the machine meanwhile."""
    return f"{slice_.foreign_cores:.2f} cores used by others" if slice_.foreign_cores > limit else ""


def counting(measured: Iterable[Measured], scenario: Scenario) -> list[Round]:
    """The rounds of a scenario in which no slice has a fault."""
    return [slices for slices in whole(measured, scenario) if not any(one.fault for one in chain(*slices.values()))]


def whole(measured: Iterable[Measured], scenario: Scenario) -> list[Round]:
    """The rounds of a scenario that were right and taken to the end, disturbed ones included."""
    rounds: dict[int, dict[str, list[Measured]]] = {}
    for one in measured:
        if one.scenario == scenario.name and one.round and not wrong(one.slice):
            rounds.setdefault(one.round, {}).setdefault(one.design, []).append(one)
    return [slices for slices in rounds.values() if sum(map(len, slices.values())) == len(scenario.order)]


def median(rounds: Sequence[Round], design: str, number: Number) -> float | None:
    values = [number(one) for slices in rounds for one in slices.get(design, [])]
    return statistics.median(values) if values else None


def ratio(rounds: Sequence[Round], number: Number, *, of: str, to: str) -> float | None:
    """One design's number : another's, the median over the rounds; only slices side by side compare."""
    values = [
        statistics.mean(map(number, slices[of])) / max(statistics.mean(map(number, slices[to])), 1e-9)
        for slices in rounds
        if slices.get(of) and slices.get(to)
    ]
    return statistics.median(values) if values else None


def line(one: Measured, scenario: Scenario) -> str:
    """A slice as it is taken, for whoever watches."""
    taken = one.slice
    return (
        f"  {one.round or 'warm-up':>7} {TITLES[one.design]:<16}{getattr(taken, scenario.figure):>8,.0f}"
        f"  CPU {taken.cpu_ms_per_message:6.2f} ms  p50 {taken.p50_ms:5.1f}  p99 {taken.p99_ms:6.1f} ms"
        f"  client {taken.client_share:4.0%}  others {taken.foreign_cores:.2f}  {one.fault}"
    )


def tables(measured: Sequence[Measured], scenarios: Sequence[Scenario]) -> str:
    """Markdown: the rates with their ratios, then what a message costs."""
    return "\n\n".join([rates(measured, scenarios), costs(measured, scenarios)])


def rates(measured: Sequence[Measured], scenarios: Sequence[Scenario]) -> str:
    head = ["what", "plain", "tuned", "Traffic Control", "× plain", "× tuned", "rounds"]
    return markdown(head, (rate_row(counting(measured, scenario), scenario) for scenario in scenarios))


def rate_row(rounds: Sequence[Round], scenario: Scenario) -> list[str]:
    def figure(one: Measured) -> float:
        return float(getattr(one.slice, scenario.figure))

    rates = [shown(median(rounds, design, figure)) for design in (PLAIN, TUNED, PRODUCT)]
    ratios = [shown(ratio(rounds, figure, of=PRODUCT, to=design)) for design in (PLAIN, TUNED)]
    return [scenario.title, *rates, *ratios, f"{len(rounds)} of {scenario.amount.rounds}"]


COSTS = (
    "CPU ms",
    "plain : it",
    "web",
    "workers",
    "PostgreSQL",
    "Valkey",
    "statements",
    "WAL bytes",
    "p50 ms",
    "p99 ms",
)


def costs(measured: Sequence[Measured], scenarios: Sequence[Scenario]) -> str:
    """Per message, or per request where intake alone is measured.

    CPU time is counted per process, so rounds that others disturbed serve here too.
    """
    rows = (
        [scenario.title, TITLES[design], *cost_row(whole(measured, scenario), design)]
        for scenario in scenarios
        for design in DESIGNS
        if design in scenario.order
    )
    return markdown(["what", "design", *COSTS], rows)


def cost_row(rounds: Sequence[Round], design: str) -> list[str]:
    def total(one: Measured) -> float:
        return one.slice.cpu_ms_per_message

    def cpu(*names: str) -> Number:
        return lambda one: 1000 * sum(one.slice.cpu_seconds.get(name, 0.0) for name in names) / one.messages

    numbers: list[Number] = [
        cpu("web"),
        cpu("worker", "dispatcher"),
        cpu("postgres"),
        cpu("valkey"),
        lambda one: one.database.statements / one.messages,
        lambda one: one.database.wal_bytes / one.messages,
        lambda one: one.slice.p50_ms,
        lambda one: one.slice.p99_ms,
    ]
    totals = [median(rounds, design, total), ratio(rounds, total, of=PLAIN, to=design)]
    return [shown(value) for value in (*totals, *(median(rounds, design, number) for number in numbers))]


def shown(value: float | None) -> str:
    """Three digits are more than such a machine can tell."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
