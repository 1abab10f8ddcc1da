"""Slices in their place: which are right, which are undisturbed, which rounds count."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from bench.designs import TITLES
from bench.load import Slice
from bench.memory import Memory
from bench.scenario import Scenario
from bench.servers import DatabaseWork

Number = Callable[["Measured"], float]
Round = Mapping[str, list["Measured"]]  # the slices of each entrant


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One slice in its place. Round 0 warms up and never counts; `fault` says why a slice does not count."""

    scenario: str
    round: int
    design: str
    slice: Slice
    database: DatabaseWork
    memory: Mapping[str, Memory] = field(default_factory=dict)
    peak_calls: int = 0
    fault: str = ""

    @property
    def messages(self) -> int:
        return max(1, self.slice.messages)


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
    return [slices for slices in rounds.values() if sum(map(len, slices.values())) == len(scenario.slices)]


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
        f"  {one.round or 'warm-up':>7} {TITLES[one.design]:<18}{getattr(taken, scenario.figure):>8,.0f}"
        f"  CPU {taken.cpu_ms_per_message:6.2f} ms  p50 {taken.p50_ms:5.1f}  p99 {taken.p99_ms:6.1f} ms"
        f"  client {taken.client_share:4.0%}  others {taken.foreign_cores:.2f}  {one.fault}"
    )
