"""What a check says, and how several of them add up to an exit code."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

CLEAN, BROKEN, NOT_CHECKED = 0, 1, 2


class Level(StrEnum):
    """UNKNOWN: it could not be checked, so nobody knows."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`found` is the fact, `why` it matters, `do` the next step; a good one needs neither of the latter."""

    name: str
    level: Level
    found: str
    why: str = ""
    do: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Check:
    """`silent` is the level when no answer comes: FAIL where the answer is the very thing that is needed.

    `question` may raise anything; an error counts as no answer.
    """

    name: str
    question: Callable[[], Iterable[Verdict]]
    why: str
    do: str
    silent: Level = Level.UNKNOWN

    def unanswered(self, reason: str) -> Verdict:
        return Verdict(self.name, self.silent, reason, self.why, self.do)


def good(name: str, found: str) -> Verdict:
    return Verdict(name, Level.OK, found)


def warn(name: str, found: str, why: str, do: str) -> Verdict:
    return Verdict(name, Level.WARN, found, why, do)


def fail(name: str, found: str, why: str, do: str) -> Verdict:
    return Verdict(name, Level.FAIL, found, why, do)


def exit_code(verdicts: Sequence[Verdict]) -> int:
    levels = {verdict.level for verdict in verdicts}
    return BROKEN if Level.FAIL in levels else NOT_CHECKED if Level.UNKNOWN in levels else CLEAN
