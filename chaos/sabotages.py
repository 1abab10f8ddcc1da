"""Runs with a safeguard taken out: a test that cannot fail proves nothing, so each has to be missed."""

import argparse
from collections.abc import Mapping, Sequence

from chaos.course import Size, taken
from chaos.report import tell
from chaos.results import Results
from chaos.scenarios import EVERY
from chaos.verdict import Outcome
from dev.console import progress, say

COUNT, RATE = 1_200, 40.0
LONGEST = 1.0  # nobody waits longer than wanted for what may never come
MISSED_IN: Mapping[str, str] = {
    "no-sweep": "slow-senders",
    "no-doubt": "slow-senders",
    "early-ack": "providers",
    "no-backstop": "last-words",
    "no-fence": "short-freeze",
    "no-journal": "known-dead",
}


def run(given: argparse.Namespace) -> int:
    """0 only when every one of them was seen."""
    names = list(MISSED_IN) if given.sabotage == "all" else [given.sabotage]
    size = Size(count=given.count or COUNT, rate=given.rate or RATE, longest=LONGEST)
    seen = {name: was_seen(name, attempt(name, size, given)) for name in names}
    for name, kinds in seen.items():
        say(f"  {name:<12} {f'seen, as {kinds}' if kinds else 'NOT SEEN'}")
    progress(f"{sum(map(bool, seen.values()))} of {len(seen)} sabotages were seen; seed {given.seed}")
    return 0 if all(seen.values()) else 1


def attempt(name: str, size: Size, given: argparse.Namespace) -> list[Outcome]:
    progress(f"Sabotage: {name}")
    wanted = given.only or MISSED_IN[name]
    chosen = [one for one in EVERY if one.name in wanted.split(",")]
    folder = Results.of(seed=given.seed, count=size.count, rate=size.rate).folder / name
    outcomes = list(taken(chosen, size, seed=given.seed, folder=folder, sabotage=name))
    for outcome in outcomes:
        tell(outcome)
    return outcomes


def was_seen(name: str, outcomes: Sequence[Outcome]) -> str:
    """What the audit found; empty when the safeguard was not missed. Without a journal no promise is broken: it takes
    longer."""
    found = [kind for outcome in outcomes for kind in outcome.audit["findings"]]
    if name == "no-journal":
        found += [demand.figure for one in outcomes for demand in one.demands if not demand.is_met]
    return ", ".join(found)
