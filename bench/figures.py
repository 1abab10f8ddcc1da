"""From rounds to figures: medians, and the medians of the ratios within each round."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.rounds import Measured, Number, Round, counting, median, ratio, whole
from bench.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One entrant in one scenario; None where no round counts.

    `times`: the subject's rate divided by this one's; `cpu_times` and `p99_times`: this one's divided by the subject's.
    Rates and latencies are of undisturbed rounds only; what is counted (CPU time, statements) of all that were right.
    """

    scenario: str
    title: str
    group: str
    entrant: str
    rate: float | None
    times: float | None
    p50_ms: float | None
    p99_ms: float | None
    p99_times: float | None
    cpu_ms: float | None
    cpu_times: float | None
    cpu_parts: Mapping[str, float]
    statements: float | None
    commits: float | None
    wal_bytes: float | None
    peak_calls: float | None
    rounds: int
    rounds_wanted: int


@dataclass(frozen=True)
class Peak:
    """The most memory a process of one part took in all that was measured, and the most it grew in one slice."""

    entrant: str
    part: str
    peak_mb: float
    growth_mb: float


PARTS = {"web": ("web",), "workers": ("worker", "dispatcher"), "PostgreSQL": ("postgres",), "Valkey": ("valkey",)}


def figures(measured: Sequence[Measured], scenarios: Iterable[Scenario]) -> list[Figure]:
    return [
        _figure(measured, scenario, entrant)
        for scenario in scenarios
        for entrant in scenario.group.entrants
        if entrant in scenario.slices
    ]


def _figure(measured: Sequence[Measured], scenario: Scenario, entrant: str) -> Figure:
    quiet, all_right, subject = counting(measured, scenario), whole(measured, scenario), scenario.group.subject

    def rate(one: Measured) -> float:
        return float(getattr(one.slice, scenario.figure))

    def cpu(one: Measured) -> float:
        return one.slice.cpu_ms_per_message

    return Figure(
        scenario=scenario.name,
        title=scenario.title,
        group=scenario.group.title,
        entrant=entrant,
        rate=median(quiet, entrant, rate),
        times=ratio(quiet, rate, of=subject, to=entrant),
        p50_ms=median(quiet, entrant, lambda one: one.slice.p50_ms),
        p99_ms=median(quiet, entrant, lambda one: one.slice.p99_ms),
        p99_times=ratio(quiet, lambda one: one.slice.p99_ms, of=entrant, to=subject),
        cpu_ms=median(all_right, entrant, cpu),
        cpu_times=ratio(all_right, cpu, of=entrant, to=subject),
        cpu_parts=_parts(all_right, entrant),
        statements=median(all_right, entrant, lambda one: one.database.statements / one.messages),
        commits=median(all_right, entrant, lambda one: one.database.commits / one.messages),
        wal_bytes=median(all_right, entrant, lambda one: one.database.wal_bytes / one.messages),
        peak_calls=median(all_right, entrant, lambda one: one.peak_calls) if scenario.delay_ms else None,
        rounds=len(quiet),
        rounds_wanted=scenario.amount.rounds,
    )


def _parts(rounds: Sequence[Round], entrant: str) -> dict[str, float]:
    """CPU milliseconds per message of each part."""

    def milliseconds(names: tuple[str, ...]) -> Number:
        return lambda one: 1000 * sum(one.slice.cpu_seconds.get(name, 0.0) for name in names) / one.messages

    return {part: median(rounds, entrant, milliseconds(names)) or 0.0 for part, names in PARTS.items()}


def peaks(measured: Sequence[Measured]) -> list[Peak]:
    """Growth is of slices after the warm-up, when everything is loaded."""
    found: dict[tuple[str, str], Peak] = {}
    for one in measured:
        for part, memory in one.memory.items():
            known = found.get((one.design, part), Peak(one.design, part, 0.0, 0.0))
            growth = memory.growth_mb if one.round else 0.0
            found[one.design, part] = Peak(
                one.design, part, max(known.peak_mb, memory.peak_mb), max(known.growth_mb, growth)
            )
    return list(found.values())
