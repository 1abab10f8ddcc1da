"""All designs of a scenario up at once, short slices alternating between them."""

import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import arrivals, bare_design, plain_design, product_design, rounds
from bench.cpu import Meter
from bench.designs import (
    BARE,
    DJANGO_Q,
    IN_PROCESS,
    PLAIN,
    POST_OFFICE,
    PRODUCT,
    SYNCHRONOUS,
    TITLES,
    TUNED,
    UNPOLICED,
    system_of,
)
from bench.load import Slice, measure
from bench.memory import Watch
from bench.rounds import Measured
from bench.scenario import Scenario
from bench.servers import Servers, servers
from bench.services import Keys, Place, Recipe, System, bring_up, make_place
from dev.console import progress, say

TRIES_PER_ROUND = 2
WARM_UP_CONNECTIONS = 64  # enough that every thread of a web server has opened its connection to the database
RECIPES: dict[str, Callable[[Place], Recipe]] = {
    PRODUCT: product_design.recipe,
    UNPOLICED: product_design.unpoliced,
    IN_PROCESS: product_design.in_process,
    PLAIN: plain_design.recipe,
    TUNED: lambda place: plain_design.recipe(place, is_tuned=True),
    BARE: bare_design.recipe,
    SYNCHRONOUS: plain_design.synchronous,
    POST_OFFICE: plain_design.post_office,
    DJANGO_Q: plain_design.django_q,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`foreign_limit`: cores others may use in a slice.

    `no_retakes_after`: the moment (time.monotonic) from which disturbed rounds are no longer taken again.
    """

    foreign_limit: float
    no_retakes_after: float


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything that is up."""

    servers: Servers
    options: Options
    logs: Path
    systems: dict[str, System] = field(default_factory=dict)
    keys: dict[str, Keys] = field(default_factory=dict)

    def take(self, scenario: Scenario) -> list[Measured]:
        """Rounds until enough count or too many were disturbed; ends at once when a design does it wrong."""
        self._bring_up(scenario)
        progress(f"{scenario.group.title}: {scenario.title}")
        widely = replace(scenario, connections=max(WARM_UP_CONNECTIONS, scenario.connections))
        warm_up = scenario.slices if scenario.warm_up is None else scenario.warm_up
        measured = [self._slice(widely, entrant, 0) for entrant in warm_up]
        for number in range(1, TRIES_PER_ROUND * scenario.amount.rounds + 1):
            if any(rounds.wrong(one.slice) for one in measured) or self._is_too_late(scenario, number):
                break
            measured += [self._slice(scenario, entrant, number) for entrant in scenario.slices]
            if len(rounds.counting(measured, scenario)) == scenario.amount.rounds:
                break
        return measured

    def retire(self, still_needed: Collection[str]) -> None:
        """Those that no later scenario needs make room."""
        for name in set(self.systems) - set(still_needed):
            self.systems.pop(name).stop()

    def _is_too_late(self, scenario: Scenario, number: int) -> bool:
        return number > scenario.amount.rounds and time.monotonic() > self.options.no_retakes_after

    def _slice(self, scenario: Scenario, entrant: str, number: int) -> Measured:
        system = self.systems[system_of(entrant)]
        arrivals.delay(system.place.sink_url, scenario.delay_ms)
        before, watch = self.servers.work_done(system.place.name), Watch.begin(system.charged())
        taken = self._measure(scenario, entrant, system)
        one = Measured(
            scenario=scenario.name,
            round=number,
            design=entrant,
            slice=taken,
            database=self.servers.work_done(system.place.name).since(before),
            memory=watch.end(),
            peak_calls=arrivals.peak(system.place.sink_url),
            fault=rounds.wrong(taken) or rounds.disturbed(taken, limit=self.options.foreign_limit),
        )
        say(rounds.line(one, scenario))
        return one

    def _measure(self, scenario: Scenario, entrant: str, system: System) -> Slice:
        target = scenario.target(entrant, system.place, self.keys[system.place.name])
        return measure(target, scenario.plan(entrant, system.place), self._meter(system))

    def _meter(self, system: System) -> Meter:
        idle = [child for one in self.systems.values() for child in (one.sink, one.web, *one.workers)]
        charged = system.charged() | self.servers.processes
        return Meter(charged, frozenset(child.process.pid for child in idle))

    def _bring_up(self, scenario: Scenario) -> None:
        for name in sorted(scenario.systems - set(self.systems)):
            self._start(name)
        self._make_audiences(scenario)
        for name in scenario.systems:
            system = self.systems[name]
            if scenario.needs_workers and not system.workers:
                system.start_workers()
        if not scenario.needs_workers:
            for system in self.systems.values():
                system.stop_workers()

    def _start(self, name: str) -> None:
        progress(f"Starting {TITLES[name]}")
        place, sink = make_place(name, self.servers, number=len(self.keys) + 1, logs=self.logs)
        self.systems[name] = system = bring_up(place, RECIPES[name](place), sink)
        self.keys[name] = system.recipe.seed()

    def _make_audiences(self, scenario: Scenario) -> None:
        for everyone in filter(None, map(scenario.audience, scenario.slices)):
            keys, make = self.keys[PRODUCT], self.systems[PRODUCT].recipe.make_audience
            if make and everyone not in keys.audiences:
                progress(f"Making a tenant with {everyone:,} customers")
                keys.audiences[everyone] = make(everyone)


@contextmanager
def bench_up(folder: Path, options: Options) -> Iterator[Bench]:
    """The servers, and whatever is started on them, until the block ends. Their logs stay in `folder`."""
    data = folder / "data"
    data.mkdir(parents=True)
    try:
        with servers(data) as both:
            bench = Bench(servers=both, options=options, logs=folder)
            try:
                yield bench
            finally:
                bench.retire(())
    finally:
        shutil.rmtree(data)
