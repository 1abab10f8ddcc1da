"""What it costs to keep tenants apart, and their templates in processes of their own: `python -m bench.isolation`.

Three installs are up: Traffic Control as it is, the same with ROW_SECURITY=off, and that with its templates rendered in
the web and worker processes besides. Short slices alternate between them, there and back again, from end to end and
through the intake alone; docs/performance.md says how they are taken. Throughput is of undisturbed rounds, processor
time is of all of them, with PostgreSQL's and the renderers'.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from json import dumps

from bench import machine, rounds, work
from bench.designs import IN_PROCESS, PRODUCT, TITLES, UNPOLICED
from bench.figures import Figure, figures
from bench.run import RESULTS
from bench.scenario import Amount, Group, Scenario
from bench.side_by_side import Options, bench_up
from bench.tables import markdown, shown
from dev.console import Refusal, progress, say

OTHERS = (UNPOLICED, IN_PROCESS)
WAYS = (PRODUCT, *OTHERS)
GROUP = Group(title="What keeping tenants apart costs", subject=PRODUCT, others=OTHERS)
NO_RETAKES_AFTER = 7 * 60.0
HEAD = (
    *("what", *(f"{TITLES[way]}/s" for way in WAYS)),
    *("row security costs", "with renderers", "CPU ms", "row security adds", "with renderers", "rounds"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    given = options(arguments)
    try:
        return run(given)
    except Refusal as refusal:
        say(str(refusal))
        return 1


def run(given: argparse.Namespace) -> int:
    began, folder = time.monotonic(), RESULTS / time.strftime("isolation-%Y%m%d-%H%M%S")
    only = given.only.split(",") if given.only else []
    chosen = [one for one in scenarios(given.rounds) if not only or one.name in only]
    with bench_up(folder, Options(foreign_limit=given.foreign, no_retakes_after=began + NO_RETAKES_AFTER)) as bench:
        taken = [one for scenario in chosen for one in bench.take(scenario)]
    (folder / "slices.json").write_text(dumps([asdict(one) for one in taken], indent=1))
    say(f"\n{table(figures(taken, chosen))}\n")
    say(" · ".join(f"{name} {value}" for name, value in machine.description().items()))
    progress(f"{time.monotonic() - began:.0f} s; every slice is in {folder.name}")
    return 1 if any(rounds.wrong(one.slice) for one in taken) else 0


def scenarios(count: int) -> list[Scenario]:
    """From end to end first: what intake alone leaves behind would be sent in the slices after it."""
    return [
        delivery("email", "emails delivered", "email", requests=2_400, rounds=count),
        delivery("event", "delivered, events with two channels", "event", requests=1_200, rounds=count, per_request=2),
        intake("notify-intake", "/v1/notify/ accepted", "email", rounds=count),
        intake("events-intake", "/api/events/ accepted", "event", rounds=count),
        intake("batch-intake", "accepted in batches of 100", "email", rounds=count, is_in_batches=True),
    ]


def delivery(name: str, title: str, kind: work.Kind, *, requests: int, rounds: int, per_request: int = 1) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        kind=kind,
        amount=Amount(rounds=rounds, requests=dict.fromkeys(WAYS, requests)),
        group=GROUP,
        order=(*WAYS, *WAYS[::-1]),
        warm_up=WAYS,
        per_request=per_request,
    )


def intake(name: str, title: str, kind: work.Kind, *, rounds: int, is_in_batches: bool = False) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        kind=kind,
        amount=Amount(rounds=rounds, requests={}, seconds=2.0),
        group=GROUP,
        order=(*WAYS, *WAYS[::-1]),
        warm_up=WAYS,
        needs_workers=False,
        is_in_batches=is_in_batches,
    )


def table(found: Sequence[Figure]) -> str:
    by_title: dict[str, dict[str, Figure]] = {}
    for one in found:
        by_title.setdefault(one.title, {})[one.entrant] = one
    return markdown(HEAD, [row(title, ways) for title, ways in by_title.items()])


def row(title: str, ways: dict[str, Figure]) -> list[str]:
    """What it costs: the throughput that is lost, of that without. What it adds: to the processor time without."""
    own = ways[PRODUCT]
    lost = [percent(None if ways[way].times is None else 1 - (ways[way].times or 0)) for way in OTHERS]
    added = [percent(1 / times - 1 if (times := ways[way].cpu_times) else None) for way in OTHERS]
    rates = [shown(ways[way].rate) for way in WAYS]
    return [title, *rates, *lost, shown(own.cpu_ms), *added, f"{own.rounds} of {own.rounds_wanted}"]


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:+.1%}"


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.isolation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=3, help="of six slices each; three take some five minutes")
    parser.add_argument("--only", default="", help="comma-separated: " + ", ".join(one.name for one in scenarios(1)))
    parser.add_argument("--foreign", type=float, default=0.25, help="cores used by others that spoil a slice")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
