"""All designs up at once, short slices alternating between them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import plain_design, product_design, report
from bench.cpu import Meter
from bench.load import measure
from bench.report import Measured
from bench.scenarios import PRODUCT, TUNED, Scenario
from bench.servers import Servers, servers
from bench.services import Keys, Place, Recipe, System, bring_up, make_place
from dev.console import progress, say

TRIES_PER_ROUND = 2


@dataclass(frozen=True, kw_only=True)
class Options:
    """`customers`: how many a broadcast reaches. `foreign_limit`: cores used by anything else that spoil a slice."""

    customers: int
    delay_ms: float
    foreign_limit: float


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything that is up."""

    servers: Servers
    systems: dict[str, System]
    keys: dict[str, Keys]
    options: Options

    def take(self, scenario: Scenario) -> list[Measured]:
        """Rounds until enough count or too many were disturbed; ends at once when a design does it wrong."""
        progress(scenario.title)
        self._workers(are_needed=scenario.needs_workers)
        measured = [self._slice(scenario, design, 0) for design in scenario.warm_up]
        for number in range(1, TRIES_PER_ROUND * scenario.amount.rounds + 1):
            if any(report.wrong(one.slice) for one in measured):
                break
            measured += [self._slice(scenario, design, number) for design in scenario.order]
            if len(report.counting(measured, scenario)) == scenario.amount.rounds:
                break
        return measured

    def _slice(self, scenario: Scenario, design: str, number: int) -> Measured:
        system = self.systems[design]
        target = scenario.target(design, system.place, self.keys[design])
        before = self.servers.work_done(design)
        taken = measure(target, scenario.plan(design, system.place), self._meter(design))
        work = self.servers.work_done(design).since(before)
        fault = report.wrong(taken) or report.disturbed(taken, limit=self.options.foreign_limit)
        one = Measured(scenario=scenario.name, round=number, design=design, slice=taken, database=work, fault=fault)
        say(report.line(one, scenario))
        return one

    def _meter(self, design: str) -> Meter:
        idle = [child for system in self.systems.values() for child in (system.sink, system.web, *system.workers)]
        charged = self.systems[design].charged() | self.servers.processes
        return Meter(charged, frozenset(child.process.pid for child in idle))

    def _workers(self, *, are_needed: bool) -> None:
        for system in self.systems.values():
            if are_needed and not system.workers:
                system.start_workers()
            elif not are_needed and system.workers:
                system.stop_workers()


@contextmanager
def bench_up(folder: Path, designs: tuple[str, ...], options: Options) -> Iterator[Bench]:
    """The designs with their databases, seeded, until the block ends. Their logs stay in `folder`."""
    data = folder / "data"
    data.mkdir(parents=True)
    systems: dict[str, System] = {}
    try:
        with servers(data) as both:
            try:
                for number, design in enumerate(designs, start=1):
                    progress(f"Starting {report.TITLES[design]}")
                    place, sink = make_place(design, both, number=number, logs=folder, delay_ms=options.delay_ms)
                    systems[design] = bring_up(place, recipe(design, place, options.customers), sink)
                keys = {design: system.recipe.seed() for design, system in systems.items()}
                yield Bench(servers=both, systems=systems, keys=keys, options=options)
            finally:
                for system in systems.values():
                    system.stop()
    finally:
        shutil.rmtree(data)


def recipe(design: str, place: Place, customers: int) -> Recipe:
    if design == PRODUCT:
        return product_design.recipe(place, everyone=customers)
    return plain_design.recipe(place, is_tuned=design == TUNED)
