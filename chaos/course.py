"""Takes scenarios, one after the other, on a scene of their own."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.scenarios import Scenario
from chaos.scene import Scene, scene
from chaos.verdict import Outcome, judged
from dev.console import progress

SETTLE = 0.5  # seconds between two looks whether all has come to its end
LONGEST = 1.5  # times as long as wanted, a drain is waited for


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is asked for in a scenario, and how fast; `longest`: times as long as wanted, a drain is waited for."""

    count: int
    rate: float
    longest: float = LONGEST


def taken(chosen: Sequence[Scenario], size: Size, *, seed: int, folder: Path, sabotage: str = "") -> Iterator[Outcome]:
    """One after the other, on a scene of their own."""
    if not chosen:
        return
    with scene(folder, seed=seed, sabotage=sabotage) as there:
        for scenario in chosen:
            yield take(there, scenario, size)


def take(there: Scene, scenario: Scenario, size: Size) -> Outcome:
    count = int(size.count * scenario.share)
    progress(f"{scenario.title}: {count:,} messages at {size.rate:.0f}/s")
    there.heal()
    there.forget()
    record = there.folder / f"{scenario.name}.accepted"
    record.unlink(missing_ok=True)
    there.roles.restarts, began = 0, time.time()
    load = scenario.ask(there, record, count=count, rate=size.rate).start()
    scenario.trouble(there, load)
    load.wait()
    there.heal()
    drained = drain(there, scenario, longest=size.longest)
    return judged(there, scenario, load, began=began, drained=drained)


def drain(there: Scene, scenario: Scenario, *, longest: float) -> float | None:
    """Seconds until nothing was left; None when something still is, long after it should."""
    since = time.time()
    while left := there.servers.left():
        if time.time() - since > longest * scenario.drain:
            progress(f"{left:,} messages and events have not come to their end")
            return None
        time.sleep(SETTLE)
    return time.time() - since
