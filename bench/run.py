"""Traffic Control beside the plain design, on this machine, in one go.

    python -m bench.run            everything, under 20 minutes
    python -m bench.run --quick    the same in small, under 3 minutes
    python -m bench.run --only email,broadcast --delay-ms 50

All designs stay up and short slices alternate; docs/performance.md says why. The table is printed, and every slice
goes to bench/results/. Exits 1 when a design answered or delivered wrongly.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench import machine, report
from bench.report import Measured
from bench.scenarios import DESIGNS, Scenario, everyone, scenarios
from bench.side_by_side import Options, bench_up
from dev.console import Refusal, progress, say

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    given = arguments()
    chosen = [one for one in scenarios(is_quick=given.quick) if not given.only or one.name in given.only.split(",")]
    options = Options(customers=everyone(is_quick=given.quick), delay_ms=given.delay_ms, foreign_limit=given.foreign)
    try:
        return run(chosen, options)
    except Refusal as refusal:
        say(str(refusal))
        return 1


def run(chosen: Sequence[Scenario], options: Options) -> int:
    began, folder = time.monotonic(), RESULTS / time.strftime("%Y%m%d-%H%M%S")
    with bench_up(folder, DESIGNS, options) as bench:
        facts = machine.description() | bench.servers.settings()
        measured = [one for scenario in chosen for one in bench.take(scenario)]
    keep(folder / "slices.json", facts, measured)
    say(f"\n{report.tables(measured, chosen)}\n\n{' · '.join(f'{name} {value}' for name, value in facts.items())}")
    progress(f"{time.monotonic() - began:.0f} s; every slice is in {folder.relative_to(RESULTS.parent.parent)}")
    return 1 if any(report.wrong(one.slice) for one in measured) else 0


def keep(path: Path, facts: dict[str, str], measured: Sequence[Measured]) -> None:
    path.write_text(json.dumps({"facts": facts, "slices": [asdict(one) for one in measured]}, indent=1))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter slices, a broadcast of 2,000")
    parser.add_argument(
        "--only",
        default="",
        help="comma-separated: email, webhook, event, idle, broadcast, notify_intake, events_intake",
    )
    parser.add_argument("--delay-ms", type=float, default=0.0, help="how late the sinks answer")
    parser.add_argument("--foreign", type=float, default=0.25, help="cores used by others that spoil a slice")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
