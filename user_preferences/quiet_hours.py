"""Hours in which a customer wants to be left alone: pure, in the wall time of where the customer is.

An interval begins with its first minute and ends before its last, and may end on the day after. Where a clock is put
forward, a time that does not exist is as much later as was left out; where it is put back, the first of the two counts
(PEP 495, fold 0).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60  # minutes
NEVER_QUIET = frozenset({"in_app"})  # an inbox wakes nobody

Interval = tuple[int, int]  # minutes since midnight; an end that is not after its start is on the day after


@dataclass(frozen=True, slots=True)
class QuietHours:
    """`days` by their place in DAYS. `channels` is empty for all of them. Without a zone of its own, the tenant's."""

    days: Mapping[int, Sequence[Interval]] = field(default_factory=lambda: MappingProxyType({}))
    timezone: str = ""
    channels: frozenset[str] = frozenset()

    def covers(self, channel: str) -> bool:
        return channel not in NEVER_QUIET and (not self.channels or channel in self.channels)


def quiet_until(hours: QuietHours, now: datetime, *, zone: str) -> datetime | None:
    """When it is over, in UTC; None when it is not quiet now. `zone`: of the customer, or where nobody has said one."""
    local = zone_of(hours.timezone or zone)
    until = now
    while end := _end_of_quiet_at(hours, until, local):
        until = end
        if until - now > timedelta(days=8):  # a week without an opening: nothing would ever be sent
            return None
    return until if until > now else None


def _end_of_quiet_at(hours: QuietHours, moment: datetime, zone: ZoneInfo) -> datetime | None:
    today = moment.astimezone(zone).date()
    for begins, ends in _around(hours, today, zone):
        if begins <= moment < ends:
            return ends
    return None


def _around(hours: QuietHours, today: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The intervals that may hold on this day: its own, and those that began the day before."""
    for day in (today - timedelta(days=1), today):
        for start, end in hours.days.get(day.weekday(), ()):
            yield _instant(day, start, zone), _instant(day, end if end > start else end + DAY, zone)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, rest = divmod(minutes, DAY)
    wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return wall.astimezone(UTC)


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> ZoneInfo:
    """UTC when the name is empty, or one that this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=10_000)
def _parsed(days: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]) -> Mapping[int, Sequence[Interval]]:
    return MappingProxyType(
        {DAYS.index(day): tuple((minutes(start), minutes(end)) for start, end in spans) for day, spans in days}
    )


def from_json(stored: Mapping[str, Any] | None) -> QuietHours | None:
    """What a customer's row says; None when there is nothing to keep."""
    if not stored or not stored.get("enabled", True) or not stored.get("days"):
        return None
    days = tuple((day, tuple((start, end) for start, end in spans)) for day, spans in stored["days"].items())
    return QuietHours(_parsed(days), stored.get("timezone", ""), frozenset(stored.get("channels", ())))


def minutes(wall: str) -> int:
    """Of "HH:MM" since midnight; "24:00" is the end of a day. Raises ValueError."""
    hour, _, minute = wall.partition(":")
    if len(wall) != 5 or not (hour.isascii() and minute.isascii() and hour.isdigit() and minute.isdigit()):
        raise ValueError(f"{wall!r} is not HH:MM")
    since_midnight = 60 * int(hour) + int(minute)
    if int(minute) > 59 or since_midnight > DAY:
        raise ValueError(f"{wall!r} is after the end of the day")
    return since_midnight
