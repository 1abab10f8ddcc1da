"""Breaks the product on purpose, scenario by scenario, and has its ledger audited after each.

    python -m chaos.run                          everything, about 20 minutes
    python -m chaos.run --quick                  one blow of each kind, under 3 minutes
    python -m chaos.run --only workers,providers --count 20000 --seed 7
    python -m chaos.run --publish                table and chart go into docs/reliability.md
    python -m chaos.run --sabotage no-sweep      with a safeguard taken out: good when it is missed

Everything a run does is drawn from its seed, which it prints. Exits 1 when a demand is not met.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chaos import publish
from chaos.load import Load
from chaos.report import tell
from chaos.scenarios import EVERY, QUICK, SCENARIOS, Scenario
from chaos.scene import Scene, scene
from chaos.verdict import Outcome, judged
from dev.console import Refusal, progress, refuse, say
from dev.supervisor import Stopped, stoppable

RESULTS = Path(__file__).parent / "results"
COUNT, RATE = 8_000, 200.0  # messages in a scenario, requests a second
QUICK_COUNT, QUICK_RATE = 3_500, 100.0
SETTLE = 0.5  # seconds between two looks whether all has come to its end
LONGEST = 1.5  # times as long as wanted, a drain is waited for
INTERRUPTED = 130
MISSED_IN = {
    "no-sweep": "workers",
    "no-doubt": "workers",
    "no-backstop": "absent-broker",
    "no-fence": "frozen-worker",
}


def main() -> int:
    given = arguments()
    try:
        with stoppable():
            outcomes = run(given)
    except Stopped:
        return INTERRUPTED
    except Refusal as refusal:
        say(str(refusal))
        return 1
    if given.sabotage:
        return 0 if told_missing(given.sabotage, outcomes) else 1
    return 0 if all(outcome.is_met for outcome in outcomes) else 1


def told_missing(sabotage: str, outcomes: Sequence[Outcome]) -> bool:
    """Whether the audit saw that the safeguard is gone."""
    found = [kind for outcome in outcomes for kind in outcome.audit["findings"]]
    progress(f"{sabotage}: " + (f"seen, as {', '.join(found)}" if found else "NOT seen"))
    return bool(found)


def run(given: argparse.Namespace) -> list[Outcome]:
    chosen, folder = choose(given), RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    count = given.count or (QUICK_COUNT if given.quick else COUNT)
    rate = given.rate or (QUICK_RATE if given.quick else RATE)
    progress(f"Seed {given.seed}: {', '.join(one.name for one in chosen)}")
    outcomes: list[Outcome] = []
    with scene(folder, seed=given.seed, sabotage=given.sabotage) as there:
        for scenario in chosen:
            outcomes.append(take(there, scenario, count=int(count * scenario.share), rate=rate))
            tell(outcomes[-1])
            (folder / "summary.json").write_text(json.dumps([one.as_json() for one in outcomes], indent=1))
    publish.draw(outcomes, folder / "run.svg")
    if given.publish:
        publish.write(outcomes)
    met = sum(one.is_met for one in outcomes)
    progress(f"{met} of {len(outcomes)} scenarios as demanded; seed {given.seed}; all of it is in {folder}")
    return outcomes


def choose(given: argparse.Namespace) -> Sequence[Scenario]:
    known = {one.name: one for one in EVERY}
    names = [name for name in (given.only or MISSED_IN.get(given.sabotage, "")).split(",") if name]
    if unknown := [name for name in names if name not in known]:
        refuse(f"There is no {', '.join(unknown)}. There are: {', '.join(known)}.")
    return [known[name] for name in names] or (QUICK if given.quick else SCENARIOS)


def take(there: Scene, scenario: Scenario, *, count: int, rate: float) -> Outcome:
    progress(f"{scenario.title}: {count:,} messages at {rate:.0f}/s")
    there.heal()
    there.forget()
    there.roles.restarts, began = 0, time.time()
    record = there.folder / f"{scenario.name}.jsonl"
    load = Load(there.shop, record, count=count, rate=rate, seed=there.seed).start()
    scenario.trouble(there, load)
    there.look()
    load.wait()
    there.heal()
    drained = drain(there, scenario, since=max([*(blow.at for blow in there.blows), time.time()]))
    return judged(there, scenario, load, began=began, drained=drained)


def drain(there: Scene, scenario: Scenario, *, since: float) -> float | None:
    """Seconds until nothing was left; None when something still is, long after it should."""
    while there.servers.left():
        if time.time() - since > LONGEST * scenario.drain:
            return None
        time.sleep(SETTLE)
    return time.time() - since


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one scenario with a blow of each kind")
    parser.add_argument("--only", default="", help="comma-separated scenarios by name")
    parser.add_argument("--count", type=int, default=0, help="messages in each scenario")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--sabotage", choices=sorted(MISSED_IN), default="", help="take a safeguard out")
    parser.add_argument("--publish", action="store_true", help="put table and chart into docs/reliability.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
