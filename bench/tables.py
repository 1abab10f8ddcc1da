"""Figures as Markdown: the rates with their ratios, what a message costs, memory, and the limits of the machine."""

from collections.abc import Iterable, Sequence

from bench.designs import TITLES
from bench.figures import Figure, Peak
from bench.limits import Limit
from bench.scenario import GROUPS, Group

COSTS = ("CPU ms", "CPU ×", "web", "workers", "PostgreSQL", "Valkey", "statements", "commits", "WAL bytes")
TIMES = ("p50 ms", "p99 ms", "p99 ×", "calls at once")


def tables(figures: Sequence[Figure], peaks: Sequence[Peak], limits: Sequence[Limit]) -> str:
    """All of them, each under its heading, without those that have no rows."""
    shown = [(f"### {group.title}", rates(figures, group)) for group in GROUPS if of_group(figures, group)]
    if figures:
        shown.append(("### What a message costs", costs(figures)))
        shown.append(("### Memory", memory(peaks)))
    if limits:
        shown.append(("### What the machine allows", bounds(limits)))
    return "\n\n".join(f"{heading}\n\n{table}" for heading, table in shown)


def of_group(figures: Iterable[Figure], group: Group) -> list[Figure]:
    return [one for one in figures if one.group == group.title]


def rates(figures: Sequence[Figure], group: Group) -> str:
    subject, others = group.subject, group.others
    head = ["what", *(TITLES[name] for name in (*others, subject)), *(f"× {TITLES[name]}" for name in others), "rounds"]
    rows: dict[str, dict[str, Figure]] = {}
    for one in of_group(figures, group):
        rows.setdefault(one.title, {})[one.entrant] = one
    return markdown(head, (rate_row(title, row, group) for title, row in rows.items()))


def rate_row(title: str, row: dict[str, Figure], group: Group) -> list[str]:
    rates = [shown(row[name].rate if name in row else None) for name in (*group.others, group.subject)]
    times = [shown(row[name].times if name in row else None) for name in group.others]
    subject = row[group.subject]
    return [title, *rates, *times, f"{subject.rounds} of {subject.rounds_wanted}"]


def costs(figures: Iterable[Figure]) -> str:
    """Per message. "CPU ×" and "p99 ×": so many times what the subject of the table above takes."""
    return markdown(["what", "who", *COSTS, *TIMES], map(cost_row, figures))


def cost_row(one: Figure) -> list[str]:
    numbers = [one.cpu_ms, one.cpu_times, *one.cpu_parts.values(), one.statements, one.commits, one.wal_bytes]
    times = [one.p50_ms, one.p99_ms, one.p99_times, one.peak_calls]
    return [one.title, TITLES[one.entrant], *map(shown, (*numbers, *times))]


def memory(peaks: Iterable[Peak]) -> str:
    rows = ([TITLES[one.entrant], one.part, shown(one.peak_mb), shown(one.growth_mb)] for one in peaks)
    return markdown(["who", "part", "MB at the peak, one process", "growth within a slice"], rows)


def bounds(limits: Iterable[Limit]) -> str:
    rows = ([one.title, shown(None if one.is_disturbed else one.per_second)] for one in limits)
    return markdown(["what", "per second"], rows)


def shown(value: float | None) -> str:
    """Three digits are more than such a machine can tell."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
