"""Runs the product at half of what it can do, and looks every ten seconds whether anything grows that should not.

    python -m chaos.soak                 half an hour
    python -m chaos.soak --minutes 3     a look whether it works

Prints each value's middle and growth, draws them, and has the ledger audited at the end. Exits 1 when anything grew.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence

from bench.tables import markdown
from chaos.course import drain
from chaos.curves import Curves
from chaos.gauges import Sample, Trend, sample, trends
from chaos.load import Load, steady
from chaos.results import ROOT
from chaos.run import INTERRUPTED, SEED
from chaos.scenarios import Scenario
from chaos.scene import Scene, scene
from chaos.troubles import nothing
from chaos.verdict import Outcome, judged
from dev.console import Refusal, progress, say
from dev.supervisor import Stopped, stoppable

MINUTES, RATE = 30.0, 100.0  # requests a second: half of what two cores carry beside client and receivers
EVERY = 10.0  # seconds between two samples
WARM_UP = 1 / 3  # of the time: until every process has met every kind of work
SOAK = Scenario(name="soak", title="Half of what it can do", trouble=nothing, always_accepts=True)


def main() -> int:
    given = arguments()
    try:
        with stoppable():
            return soak(given)
    except Stopped:
        return INTERRUPTED
    except Refusal as refusal:
        say(str(refusal))
        return 1


def soak(given: argparse.Namespace) -> int:
    folder, seconds = ROOT / f"soak-{time.strftime('%Y%m%d-%H%M%S')}", 60 * given.minutes
    with scene(folder, seed=given.seed) as there:
        progress(f"{given.minutes:g} minutes at {given.rate:g}/s, seed {given.seed}")
        samples, outcome = watched(there, count=int(seconds * given.rate), rate=given.rate)
    found = trends(samples, warm_up=WARM_UP * seconds)
    (folder / "samples.json").write_text(json.dumps([[one.at, dict(one.values)] for one in samples]))
    (folder / "soak.svg").write_text(Curves(samples).svg)
    tell(found, outcome)
    grown = [one.name for one in found if not one.is_flat]
    progress(f"{len(found) - len(grown)} of {len(found)} values are flat; all of it is in {folder}")
    return 0 if outcome.is_met and not grown else 1


def watched(there: Scene, *, count: int, rate: float) -> tuple[list[Sample], Outcome]:
    there.heal()
    there.forget()
    began = time.time()
    load = steady(there, there.folder / "soak.accepted", count=count, rate=rate).start()
    samples = list(samples_of(there, load))
    load.wait()
    drained = drain(there, SOAK, longest=1.0)
    return samples, judged(there, SOAK, load, began=began, drained=drained)


def samples_of(there: Scene, load: Load) -> Iterator[Sample]:
    began, number = time.monotonic(), 0
    while not load.is_over():
        yield sample(there.roles, there.servers)
        number += 1
        if number % 6 == 0:
            progress(f"{len(load.accepted):,} of {load.count:,} accepted")
        while time.monotonic() < began + number * EVERY and not load.is_over():
            time.sleep(0.2)


def tell(found: Sequence[Trend], outcome: Outcome) -> None:
    rows = [
        (one.name, f"{one.middle:.1f}", f"{one.growth:+.1f}", f"{one.allowed:.1f}", "flat" if one.is_flat else "GROWS")
        for one in found
    ]
    say(markdown(("value", "middle", "growth", "allowed", "verdict"), rows))
    for demand in outcome.demands:
        say(f"    {'ok    ' if demand.is_met else 'FAILED'} {demand.wanted}: {demand.figure}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--seed", type=int, default=SEED)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
