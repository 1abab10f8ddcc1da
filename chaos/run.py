"""Breaks the product on purpose, scenario by scenario, and has its ledger audited after each.

    python -m chaos.run                          everything, 20,000 messages each
    python -m chaos.run --quick                  one blow of each kind, under 3 minutes
    python -m chaos.run --only workers,providers --count 20000 --seed 7
    python -m chaos.run --resume                 only what has no result yet with this seed, count and rate
    python -m chaos.run --resume --publish       and then table and chart of all of it into docs/reliability.md
    python -m chaos.run --sabotage no-sweep      with a safeguard taken out: good when it is missed; `all`: each in turn

Everything a run does is drawn from its seed, which it prints. Exits 1 when a demand is not met.
"""

import argparse
import sys
from collections.abc import Sequence

from chaos import publish, sabotages
from chaos.course import Size, taken
from chaos.report import tell
from chaos.results import Results
from chaos.scenarios import EVERY, QUICK, SCENARIOS, Scenario
from dev.console import Refusal, progress, refuse, say
from dev.supervisor import Stopped, stoppable

SEED = 7
COUNT, RATE = 20_000, 200.0  # messages in a scenario, requests a second
QUICK_COUNT, QUICK_RATE = 1_800, 60.0
INTERRUPTED = 130


def main() -> int:
    given = arguments()
    try:
        with stoppable():
            return sabotages.run(given) if given.sabotage else run(given)
    except Stopped:
        return INTERRUPTED
    except Refusal as refusal:
        say(str(refusal))
        return 1


def run(given: argparse.Namespace) -> int:
    size = Size(
        count=given.count or (QUICK_COUNT if given.quick else COUNT),
        rate=given.rate or (QUICK_RATE if given.quick else RATE),
    )
    results = Results.of(seed=given.seed, count=size.count, rate=size.rate)
    chosen = [one for one in choose(given) if not (given.resume and results.has(one))]
    progress(f"Seed {given.seed}: {', '.join(one.name for one in chosen) or 'everything is there already'}")
    outcomes = []
    for outcome in taken(chosen, size, seed=given.seed, folder=results.folder):
        tell(outcome)
        results.keep(outcome)
        outcomes.append(outcome)
    kept = results.all(EVERY)
    publish.draw(kept, results.folder / "run.svg")
    if given.publish:
        publish.write(kept)
    met = sum(one.is_met for one in outcomes)
    progress(f"{met} of {len(outcomes)} scenarios as demanded; seed {given.seed}; all of it is in {results.folder}")
    return 0 if met == len(outcomes) else 1


def choose(given: argparse.Namespace) -> Sequence[Scenario]:
    known = {one.name: one for one in EVERY}
    names = [name for name in given.only.split(",") if name]
    if unknown := [name for name in names if name not in known]:
        refuse(f"There is no {', '.join(unknown)}. There are: {', '.join(known)}.")
    return [known[name] for name in names] or (QUICK if given.quick else SCENARIOS)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one scenario with a blow of each kind")
    parser.add_argument("--only", default="", help="comma-separated scenarios by name")
    parser.add_argument("--count", type=int, default=0, help="messages in each scenario")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--sabotage", choices=["all", *sabotages.MISSED_IN], default="", help="take a safeguard out")
    parser.add_argument("--resume", action="store_true", help="leave out what has a result already")
    parser.add_argument("--publish", action="store_true", help="put table and chart into docs/reliability.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
