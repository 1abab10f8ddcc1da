"""Verdicts for people."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from monitoring.doctor.verdict import Level, Verdict

WIDTH = 110


def table(verdicts: Sequence[Verdict]) -> str:
    names = max(len(verdict.name) for verdict in verdicts)
    lines = [line for verdict in verdicts for line in _lines(verdict, names)]
    return "\n".join([*lines, "", _sum(verdicts)])


def _lines(verdict: Verdict, names: int) -> Iterator[str]:
    first = f"{verdict.level:<7}  {verdict.name:<{names}}  "
    indent = " " * len(first)
    yield from textwrap.wrap(verdict.found, WIDTH, initial_indent=first, subsequent_indent=indent)
    if verdict.level != Level.OK:
        yield from textwrap.wrap(verdict.why, WIDTH, initial_indent=indent, subsequent_indent=indent)
        yield from textwrap.wrap(f"→ {verdict.do}", WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _sum(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(verdict.level for verdict in verdicts)
    return ", ".join(f"{counts[level]} {level}" for level in Level if counts[level])
