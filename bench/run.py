"""Traffic Control beside the plain design, its peers and the limits of this machine, in one go.

    python -m bench.run                     everything, under 20 minutes
    python -m bench.run --quick             the same in small and without peers, under 3 minutes
    python -m bench.run --only peers        what a user might pick instead
    python -m bench.run --only email,broadcast-200k,limits
    python -m bench.run --json out.json     the figures as JSON besides ("-": instead of the tables)
    python -m bench.run --publish           tables and charts go into docs/performance.md

All designs stay up and short slices alternate; docs/performance.md says why. Every slice goes to bench/results/.
Exits 1 when a design answered or delivered wrongly.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import limits, machine, publish, rounds
from bench.figures import figures, peaks
from bench.limits import Limit
from bench.rounds import Measured
from bench.scenario import Scenario
from bench.scenarios import scenarios
from bench.side_by_side import Bench, Options, bench_up
from bench.tables import tables
from dev.console import Refusal, progress, refuse, say

RESULTS = Path(__file__).parent / "results"
LIMITS, PEERS = "limits", "peers"
NO_RETAKES_AFTER = {True: 60.0, False: 12 * 60.0}  # seconds, quick or full
NO_SPARES_AFTER = 11 * 60.0  # intake and the limits still come


def main() -> int:
    given = arguments()
    try:
        if given.json == "-":
            with redirect_stdout(sys.stderr):
                summary = run(given)
            print(json.dumps(summary))
        else:
            summary = run(given)
    except Refusal as refusal:
        say(str(refusal))
        return 1
    return 1 if summary["wrong"] else 0


def run(given: argparse.Namespace) -> dict[str, Any]:
    began, folder = time.monotonic(), RESULTS / time.strftime("%Y%m%d-%H%M%S")
    chosen, has_limits = choose(given)
    options = Options(foreign_limit=given.foreign, no_retakes_after=began + NO_RETAKES_AFTER[given.quick])
    with bench_up(folder, options) as bench:
        facts = machine.description() | bench.servers.settings()
        taken = measure(bench, chosen, is_all=not given.only, began=began)
        bounds = take_limits(bench, given) if has_limits else []
    took = time.monotonic() - began
    conditions = {"counted": f"rounds in which others used up to {given.foreign:g} cores", "took": f"{took:.0f} s"}
    summary = summarize(facts | conditions, taken, chosen, bounds)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1))
    tell(summary, folder, given)
    return summary


def choose(given: argparse.Namespace) -> tuple[list[Scenario], bool]:
    """The scenarios, and whether the limits are taken. A quick run has no peers and no spares unless they are named."""
    every, only = scenarios(is_quick=given.quick), [name for name in given.only.split(",") if name]
    names = {one.name for one in every}
    if unknown := [name for name in only if name not in names | {LIMITS, PEERS}]:
        refuse(f"There is no {', '.join(unknown)}. There are: {', '.join([*sorted(names), LIMITS, PEERS])}.")
    if only:
        return [one for one in every if one.name in only or (is_peers(one) and PEERS in only)], LIMITS in only
    return [one for one in every if not (given.quick and (is_peers(one) or one.is_spare))], True


def is_peers(scenario: Scenario) -> bool:
    return scenario.name.startswith(PEERS)


def measure(bench: Bench, chosen: Sequence[Scenario], *, is_all: bool, began: float) -> list[Measured]:
    taken: list[Measured] = []
    for at, scenario in enumerate(chosen):
        if is_all and scenario.is_spare and time.monotonic() - began > NO_SPARES_AFTER:
            progress(f"No time left for {scenario.name}; take it with --only {scenario.name}")
            continue
        taken += bench.take(scenario)
        bench.retire({name for later in chosen[at + 1 :] for name in later.systems})
    return taken


def take_limits(bench: Bench, given: argparse.Namespace) -> list[Limit]:
    seconds = 1.0 if given.quick else 2.0
    return limits.take(bench.servers, seconds=seconds, logs=bench.logs, foreign_limit=given.foreign)


def summarize(
    facts: dict[str, str], taken: Sequence[Measured], chosen: Sequence[Scenario], bounds: Sequence[Limit]
) -> dict[str, Any]:
    return {
        "facts": facts,
        "wrong": sum(bool(rounds.wrong(one.slice)) for one in taken),
        "figures": [asdict(one) for one in figures(taken, chosen)],
        "memory": [asdict(one) for one in peaks(taken)],
        "limits": [asdict(one) for one in bounds],
        "slices": [asdict(one) for one in taken],
    }


def tell(summary: dict[str, Any], folder: Path, given: argparse.Namespace) -> None:
    results = publish.read(summary)
    facts = " · ".join(f"{name} {value}" for name, value in results.facts.items())
    say(f"\n{tables(results.figures, results.peaks, results.limits)}\n\n{facts}")
    if given.json and given.json != "-":
        Path(given.json).write_text(json.dumps(summary, indent=1))
    if given.publish:
        publish.write(results)
    progress(f"{results.facts['took']}; every slice is in {folder.relative_to(RESULTS.parent.parent)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter slices, a broadcast of 2,000")
    parser.add_argument("--only", default="", help="comma-separated: scenarios by name, peers, limits")
    parser.add_argument("--json", default="", metavar="FILE", help="write the figures and every slice there; - prints")
    parser.add_argument("--publish", action="store_true", help="put tables and charts into docs/")
    parser.add_argument("--foreign", type=float, default=0.25, help="cores used by others that spoil a slice")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
