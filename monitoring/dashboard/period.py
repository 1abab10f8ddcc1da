"""The stretch of time that is looked at, in equal steps, and the one of the same length before it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from delivery_gateway.minutes import minute_of


@dataclass(frozen=True, slots=True)
class Range:
    """`step` and `steps` in minutes and their number. `age`: the lists' filter that comes nearest."""

    title: str
    step: int
    steps: int
    age: str
    clock: str


RANGES = {
    "1h": Range("Past hour", 1, 60, "hour", "%H:%M"),
    "24h": Range("Past 24 hours", 15, 96, "day", "%H:%M"),
    "7d": Range("Past 7 days", 120, 84, "week", "%a %H:%M"),
}
USUAL = "24h"


@dataclass(frozen=True, slots=True)
class Period:
    chosen: Range
    start: int  # minutes since 1970, as all of these
    end: int

    @classmethod
    def until(cls, now: datetime, chosen: Range) -> "Period":
        end = minute_of(now) // chosen.step * chosen.step + chosen.step
        return cls(chosen, end - chosen.step * chosen.steps, end)

    @property
    def before(self) -> int:
        """When the stretch before it begins."""
        return 2 * self.start - self.end

    @property
    def slots(self) -> range:
        return range(self.start, self.end, self.chosen.step)

    @property
    def labels(self) -> list[str]:
        return [clock(slot, self.chosen.clock) for slot in self.slots]


def clock(minute: int, form: str = "%d %b %H:%M") -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime(form)
