"""Quiet hours as JSON says them, checked."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tenants import syntax
from traffic_control.faults import Fault, Faults
from traffic_control.spelling import did_you_mean
from user_preferences.policy import CHANNELS
from user_preferences.quiet_hours import DAY, DAYS, minutes

FIELDS = ("enabled", "timezone", "days", "channels")
MOST_A_DAY = 10  # intervals
EXAMPLE = '{"days": {"mon": [["22:00", "07:00"]]}}'
WEEK = 7 * DAY


def read(given: Any, faults: Faults) -> dict[str, Any] | None:
    """As they are stored: each field that was given, checked. None for null."""
    if given is None:
        return None
    if not isinstance(given, dict):
        faults.add("/quiet_hours", f"They must be an object like {EXAMPLE}.")
        return None
    faults.unknown(given, FIELDS, pointer="/quiet_hours")
    checks: dict[str, Callable[[Any], Any]] = {
        "enabled": _switch,
        "timezone": _zone,
        "channels": _channels,
        "days": partial(_days, faults=faults),
    }
    checked = {
        name: faults.checked(f"/quiet_hours/{name}", check, given[name])
        for name, check in checks.items()
        if name in given
    }
    if "days" not in given:
        faults.add("/quiet_hours/days", f"They are required: {EXAMPLE}.", code="required")
    return {"enabled": True} | checked


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault(f"{syntax.quoted(value)} is not true or false.")
    return value


def _zone(value: Any) -> str:
    return "" if value in (None, "") else syntax.time_zone(value)


def _channels(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Fault('It must be a list like ["email", "slack"]; empty means all.')
    for channel in value:
        if channel not in CHANNELS:
            hint = did_you_mean(str(channel), CHANNELS)
            raise Fault(f"There is no channel {syntax.quoted(channel)}.", code="unknown_channel", hint=hint)
    return sorted(set(value))


def _days(value: Any, *, faults: Faults) -> dict[str, list[list[str]]]:
    if not isinstance(value, dict):
        raise Fault(f"It must be an object like {EXAMPLE}.")
    faults.unknown(value, DAYS, pointer="/quiet_hours/days")
    days = {
        day: faults.checked(f"/quiet_hours/days/{day}", _intervals, value[day]) or [] for day in DAYS if day in value
    }
    if _leave_no_opening(days):
        raise Fault("They cover the whole week, so that nothing could ever be sent. Turn the channels off instead.")
    return days


def _intervals(value: Any) -> list[list[str]]:
    if not isinstance(value, list) or len(value) > MOST_A_DAY:
        raise Fault(f'It must be a list of at most {MOST_A_DAY} intervals like [["22:00", "07:00"]].')
    return [_interval(one) for one in value]


def _interval(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) != 2:
        raise Fault(f'{syntax.quoted(value)} is not an interval like ["22:00", "07:00"].')
    start, end = value
    if _time(start) == _time(end) or _time(start) == DAY:
        raise Fault(f'From {start} to {end} is no time at all; the whole day is ["00:00", "24:00"].')
    return [start, end]


def _time(value: Any) -> int:
    try:
        return minutes(value)
    except (TypeError, AttributeError, ValueError):
        raise Fault(f'{syntax.quoted(value)} is not a time like "07:00"; the end of a day is "24:00".') from None


def _leave_no_opening(days: Mapping[str, list[list[str]]]) -> bool:
    quiet: set[int] = set()
    for day, spans in days.items():
        for start, end in spans:
            begins, ends = minutes(start), minutes(end)
            first, length = DAYS.index(day) * DAY + begins, (ends - begins) % DAY or DAY
            quiet.update(minute % WEEK for minute in range(first, first + length))
    return len(quiet) == WEEK
