"""An outcome for people, on the terminal and as Markdown."""

from collections import Counter
from collections.abc import Sequence

from bench.tables import markdown
from chaos.verdict import Outcome
from dev.console import paint, say

COLUMNS = (
    "what is done", "messages", "blows", "held then", "lost", "extra sends", "their records say", "drained", "202 p99",
    "not 202", "verdict",
)  # fmt: skip


def tell(outcome: Outcome) -> None:
    """The figures, the demands, and of what was found the first examples."""
    for what, number in Counter(blow.what for blow in outcome.blows).items():
        say(f"    {number:3} × {what}")
    say(f"    held by the struck: {', '.join(str(blow.held) for blow in outcome.blows) or '–'}")
    say(f"    started again: {outcome.restarts}; answers: {answers(outcome)}; statuses: {outcome.audit['statuses']}")
    for demand in outcome.demands:
        word = paint("ok    ", "green") if demand.is_met else paint("FAILED", "red")
        say(f"    {word} {demand.wanted}: {demand.figure}")
    for one in outcome.audit["examples"]:
        say(f"      {one['kind']} {one['id']}: {one['detail']}")


def table(outcomes: Sequence[Outcome]) -> str:
    return markdown(COLUMNS, (row(outcome) for outcome in outcomes))


def row(outcome: Outcome) -> list[str]:
    return [
        outcome.title,
        f"{outcome.messages:,}",
        str(len(outcome.blows)),
        f"{outcome.held:,}",
        str(outcome.audit["findings"].get("lost", 0)),
        str(outcome.extra),
        reasons(outcome),
        "no" if outcome.drained is None else f"{outcome.drained:.0f} s",
        f"{outcome.p99_ms:.0f} ms",
        f"{sum(outcome.refused.values()):,}",
        "as demanded" if outcome.is_met else "; ".join(d.figure for d in outcome.demands if not d.is_met),
    ]


def reasons(outcome: Outcome) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in outcome.audit["extra_sends"].items()) or "–"


def answers(outcome: Outcome) -> str:
    refused = [f", {number} × {'none' if status == '0' else status}" for status, number in outcome.refused.items()]
    return f"{len(outcome.accepted):,} × 202{''.join(refused)}"
