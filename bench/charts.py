"""The charts of docs/performance.md, from the figures of a run. One without figures is left out."""

from collections.abc import Callable, Mapping, Sequence

from bench.designs import BARE, DJANGO_Q, PLAIN, POST_OFFICE, PRODUCT, SYNCHRONOUS, TITLES, TUNED
from bench.figures import Figure
from bench.svg import Bar, Chart, Piece, Row
from bench.tables import shown

Value = Callable[[Figure], float | None]
Labels = Mapping[str, str]  # by scenario

COLOURS = {
    PRODUCT: "#2563eb",
    PLAIN: "#f59e0b",
    TUNED: "#fcd34d",
    BARE: "#9ca3af",
    POST_OFFICE: "#0d9488",
    DJANGO_Q: "#a855f7",
    SYNCHRONOUS: "#9ca3af",
}
PART_COLOURS = {"web": "#2563eb", "workers": "#60a5fa", "PostgreSQL": "#0d9488", "Valkey": "#f59e0b"}
KINDS = {"email": "email", "webhook": "webhook", "in_app": "in-app", "event": "event, two channels"}
BROADCAST = {"broadcast": "one message to many"}
SLOW = {"email": "at once", "email-50ms": "in 50 ms", "email-200ms": "in 200 ms"}
INTAKE = {f"notify-intake-{n}": f"{n} connection{'s' if n > 1 else ''}" for n in (1, 16, 64)}
IDLE = {"idle": "one email at a time"}
PEERS = {"peers-email": "sink answers at once", "peers-email-50ms": "sink answers in 50 ms"}


def charts(figures: Sequence[Figure]) -> dict[str, Chart]:
    """By file name."""
    drawn = {
        "delivery": rates(
            figures, KINDS | BROADCAST, "Delivered end to end, requests over 16 connections", "messages per second"
        ),
        "slow-sinks": rates(figures, SLOW, "Delivered to a mail server that answers …", "emails per second"),
        "intake": rates(figures, INTAKE, "Accepted by /v1/notify/, each one committed", "requests per second"),
        "intake-p99": durations(figures, INTAKE, "Time to the 202, 99th percentile", lambda one: one.p99_ms),
        "idle": durations(figures, IDLE, "From request to sink at idle, median", lambda one: one.p50_ms),
        "cpu": costs(figures, KINDS | BROADCAST, "Processor time per message"),
        "peers": rates(figures, PEERS, "Beside what one might pick instead", "emails per second"),
    }
    return {name: chart for name, chart in drawn.items() if chart.rows}


def rates(figures: Sequence[Figure], labels: Labels, title: str, unit: str) -> Chart:
    """Behind the bars of others stands also how many times less that is."""

    def note(one: Figure) -> str:
        times = f"  ({shown(one.times)}× less)" if one.times and one.times > 1.05 else ""
        return f"{shown(one.rate)}{times}"

    return Chart(title, unit, *compared(figures, labels, lambda one: one.rate, note))


def durations(figures: Sequence[Figure], labels: Labels, title: str, value: Value) -> Chart:
    return Chart(title, "milliseconds", *compared(figures, labels, value, lambda one: f"{shown(value(one))} ms"))


def compared(
    figures: Sequence[Figure], labels: Labels, value: Value, note: Callable[[Figure], str]
) -> tuple[list[Row], dict[str, str]]:
    """A row for each scenario, a bar for each entrant of which there is a value; the colours of these."""
    there = [one for one in figures if one.scenario in labels and value(one) is not None]
    rows = rows_of(there, labels, lambda one: Bar([Piece(TITLES[one.entrant], value(one) or 0.0)], note(one)))
    entrants = dict.fromkeys(one.entrant for one in there)
    return rows, {TITLES[entrant]: COLOURS[entrant] for entrant in entrants}


def costs(figures: Sequence[Figure], labels: Labels, title: str) -> Chart:
    """A bar for each entrant, made of what each part of it took."""
    there = [one for one in figures if one.scenario in labels and one.cpu_ms is not None]
    return Chart(title, "milliseconds", rows_of(there, labels, cost_bar), PART_COLOURS)


def cost_bar(one: Figure) -> Bar:
    pieces = [Piece(*part) for part in one.cpu_parts.items()]
    return Bar(pieces, f"{shown(one.cpu_ms)} ms  {TITLES[one.entrant]}")


def rows_of(figures: Sequence[Figure], labels: Labels, bar: Callable[[Figure], Bar]) -> list[Row]:
    """In the order of the labels; no row without bars."""
    rows = [Row(label, [bar(one) for one in figures if one.scenario == name]) for name, label in labels.items()]
    return [row for row in rows if row.bars]
