"""What has changed between two texts, for people: line by line, and within a line word by word."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

AROUND = 3  # unchanged lines shown around a change
MOST_LINES = 1_000  # of what has changed; more are not matched with each other
MOST_WORDS = 400  # of a line
MOST_SHOWN = 2_000  # lines
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
Piece = tuple[str, bool]  # text, and whether it has changed


@dataclass(frozen=True, slots=True)
class Line:
    """`sign` is "+", "-", " ", or "…" for unchanged lines that are left out. Numbers count from 1; None has none."""

    sign: str
    before: int | None
    after: int | None
    pieces: tuple[Piece, ...] = ()


LEFT_OUT = Line("…", None, None)


def lines_between(before: str, after: str) -> list[Line]:
    """Empty when they are the same."""
    old, new = before.split("\n"), after.split("\n")
    if before == after:
        return []
    shown = list(islice(_shown(old, new, _opcodes(old, new)), MOST_SHOWN + 1))
    return shown if len(shown) <= MOST_SHOWN else [*shown[:-1], LEFT_OUT]


Opcode = tuple[str, int, int, int, int]


def _opcodes(old: Sequence[str], new: Sequence[str]) -> list[list[Opcode]]:
    """In groups that stand near each other. Beginning and end that are the same are not looked at further."""
    head = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    most = min(len(old), len(new)) - head
    tail = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
    if max(len(old), len(new)) - head - tail <= MOST_LINES:
        return list(difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(AROUND))
    first, last = max(0, head - AROUND), min(tail, AROUND)
    end_of_old, end_of_new = len(old) - tail, len(new) - tail
    return [
        [
            ("equal", first, head, first, head),
            ("replace", head, end_of_old, head, end_of_new),
            ("equal", end_of_old, end_of_old + last, end_of_new, end_of_new + last),
        ]
    ]


def _shown(old: Sequence[str], new: Sequence[str], groups: Sequence[Sequence[Opcode]]) -> Iterator[Line]:
    at = 0
    for group in groups:
        if group[0][1] > at:
            yield LEFT_OUT
        for kind, a, b, c, d in group:
            if kind == "equal":
                yield from (Line(" ", a + n + 1, c + n + 1, ((text, False),)) for n, text in enumerate(old[a:b]))
            else:
                yield from _changed(old[a:b], new[c:d], a, c)
            at = b
    if at < len(old):
        yield LEFT_OUT


def _changed(old: Sequence[str], new: Sequence[str], at_old: int, at_new: int) -> Iterator[Line]:
    """As many lines as before are compared word by word, each with the one that took its place."""
    if len(old) == len(new):
        pairs = [_words(a, b) for a, b in zip(old, new, strict=True)]
    else:
        pairs = [(((text, False),), ()) for text in old] + [((), ((text, False),)) for text in new]
    removed = [one for one, _ in pairs][: len(old)]
    added = [one for _, one in pairs][-len(new) :] if new else []
    yield from (Line("-", at_old + n + 1, None, pieces) for n, pieces in enumerate(removed))
    yield from (Line("+", None, at_new + n + 1, pieces) for n, pieces in enumerate(added))


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(a), len(b)) > MOST_WORDS:
        return ((old, True),), ((new, True),)
    opcodes = difflib.SequenceMatcher(None, a, b).get_opcodes()
    return (
        tuple(("".join(a[i:j]), kind != "equal") for kind, i, j, _, _ in opcodes if i < j),
        tuple(("".join(b[i:j]), kind != "equal") for kind, _, _, i, j in opcodes if i < j),
    )
