"""Quiet hours as a form of one interval on some days, which is all that most people want."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from user_preferences.quiet_hours import DAYS

FROM, TO = "22:00", "07:00"  # what the form proposes


@dataclass(frozen=True, slots=True)
class HoursForm:
    """`is_simple`: the form says all there is; else saving it replaces something finer."""

    is_on: bool = False
    start: str = FROM
    end: str = TO
    days: Sequence[str] = DAYS
    zone: str = ""
    is_simple: bool = True

    @property
    def said(self) -> str:
        """To tell whether somebody changed the form."""
        return " ".join(["on" if self.is_on else "off", self.start, self.end, ",".join(self.days), self.zone])

    def as_json(self, stored: Mapping[str, Any] | None) -> dict[str, Any]:
        """As preferences take them. What the form does not ask stays."""
        kept = {"channels": stored["channels"]} if stored and "channels" in stored else {}
        days = {day: [[self.start, self.end]] for day in self.days}
        return {"enabled": self.is_on, "timezone": self.zone, "days": days, **kept}


def shown(stored: Mapping[str, Any] | None) -> HoursForm:
    days = {day: spans for day, spans in (stored or {}).get("days", {}).items() if spans}
    if not stored or not days:
        return HoursForm()
    (start, end), *others = [span for spans in days.values() for span in spans]
    is_simple = all(span == [start, end] for span in others) and len(others) + 1 == len(days) and end != "24:00"
    end = end if end != "24:00" else "23:59"
    named = [day for day in DAYS if day in days]
    return HoursForm(stored.get("enabled", True), start, end, named, stored.get("timezone", ""), is_simple)


def typed(given: Mapping[str, Any], days: Sequence[str]) -> HoursForm:
    """As somebody filled it in; a browser may send times with seconds."""
    start, end = (str(given.get(name, ""))[:5] for name in ("quiet_from", "quiet_to"))
    named = [day for day in DAYS if day in days]
    return HoursForm(bool(given.get("quiet_on")), start, end, named, str(given.get("quiet_zone", "")).strip()[:64])
