"""What a post to the page asks for, as an edit of preferences, and the edit that would take it back."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from traffic_control.errors import Problem
from traffic_control.faults import Faults
from user_preferences import quiet_hours_input
from user_preferences.pages import choosing, hours
from user_preferences.pages.now import Now
from user_preferences.policy import CHANNELS, EVERY
from user_preferences.preferences import Edit, Key

SAVE, ALL_OFF, UNDO = "save", "all_off", "undo"
WORDS = {"on": True, "off": False, "default": None}
LONGEST = 4_000  # characters of quiet hours that come back


class Unclear(ValueError):
    """Not a form of this page."""


class WrongHours(ValueError):
    """Quiet hours that cannot be kept."""


@dataclass(frozen=True, slots=True)
class Way:
    """There, and back again."""

    there: Edit = field(default_factory=Edit)
    back: Edit = field(default_factory=Edit)

    @property
    def changes(self) -> bool:
        return bool(self.there.chosen) or self.there.names_quiet_hours


def read(given: QueryDict, now: Now) -> Way:
    """Raises Unclear or WrongHours. What is locked, or not on the page, is not heard."""
    readers = {SAVE: _saved, ALL_OFF: _all_off, UNDO: _undone}
    reader = readers.get(str(given.get("do", "")))
    if reader is None:
        raise Unclear
    return reader(given, now)


def _saved(given: QueryDict, now: Now) -> Way:
    boxes = [box for row in now.rows for box in row.boxes]
    wanted = choosing.toggled(boxes, was=set(given.getlist("was")), now=set(given.getlist("on")))
    edit = choosing.chosen(now.choices, wanted, now.tenant_defaults)
    edit = {key: is_on for key, is_on in edit.items() if now.choices.chosen.get(key) is not is_on}
    typed = hours.typed(given.dict(), given.getlist("quiet_day"))
    return _way(edit, now, _hours(typed, now) if typed.said != given.get("quiet_was", "") else None)


def _all_off(given: QueryDict, now: Now) -> Way:
    edit = choosing.all_off(now.choices)
    return _way({key: is_on for key, is_on in edit.items() if now.choices.chosen.get(key) is not is_on}, now, None)


def _undone(given: QueryDict, now: Now) -> Way:
    """Of what the page offered to undo. Idempotent: it says what was, not what to turn round."""
    edit: dict[Key, bool | None] = {}
    known = now.keys | {(EVERY, channel) for channel in (EVERY, *CHANNELS)} | set(now.choices.chosen)
    for said in given.getlist("back"):
        word, channel, category = [*said.split(":", 2), "", ""][:3]
        if word in WORDS and (category, channel) in known:
            edit[category, channel] = WORDS[word]
    if "back_quiet" not in given:
        return Way(Edit(edit))
    return Way(Edit(edit, quiet_hours=_stored(str(given["back_quiet"])), names_quiet_hours=True))


def _stored(text: str) -> dict[str, Any] | None:
    try:
        return _checked(json.loads(text[:LONGEST]))
    except (ValueError, RecursionError) as exc:
        raise Unclear from exc


def _hours(typed: hours.HoursForm, now: Now) -> dict[str, Any]:
    if typed.is_on and not typed.days:
        raise WrongHours
    checked = _checked(typed.as_json(now.quiet_hours))
    assert checked is not None  # noqa: S101 - only null is None
    return checked


def _checked(given: Any) -> dict[str, Any] | None:
    faults = Faults()
    read = quiet_hours_input.read(given, faults)
    try:
        faults.refuse()
    except Problem as problem:
        raise WrongHours from problem
    return read


def _way(edit: dict[Key, bool | None], now: Now, quiet: dict[str, Any] | None) -> Way:
    before = choosing.before(now.choices, edit)
    if quiet is None or quiet == now.quiet_hours:
        return Way(Edit(edit), Edit(before))
    old = dict(now.quiet_hours) if now.quiet_hours is not None else None
    return Way(
        Edit(edit, quiet_hours=quiet, names_quiet_hours=True), Edit(before, quiet_hours=old, names_quiet_hours=True)
    )


def hidden(back: Edit) -> list[tuple[str, str]]:
    """Fields with which the page offers to undo."""
    words = {is_on: word for word, is_on in WORDS.items()}
    fields = [("back", f"{words[is_on]}:{channel}:{category}") for (category, channel), is_on in back.chosen.items()]
    return [*fields, ("back_quiet", json.dumps(back.quiet_hours))] if back.names_quiet_hours else fields
