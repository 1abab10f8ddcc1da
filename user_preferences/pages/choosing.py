"""The choices as boxes to tick, and ticked boxes as an edit. Pure.

A box says what holds without looking at muted channels, so that who unmutes one finds everything as it was. An edit
is sparse: a box that is ticked to what holds anyway takes the choice back instead of making one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from user_preferences import policy
from user_preferences.pages.subjects import Subject
from user_preferences.policy import EVERY, Choices
from user_preferences.preferences import Key


@dataclass(frozen=True, slots=True)
class Box:
    """`is_muted`: the channel as a whole is off, so ticking this changes nothing for now."""

    category: str
    channel: str
    is_on: bool
    is_muted: bool = False

    @property
    def key(self) -> Key:
        return self.category, self.channel

    @property
    def name(self) -> str:
        return f"{self.channel}:{self.category}"


@dataclass(frozen=True, slots=True)
class Row:
    """A category (EVERY: the channels as a whole). Of a locked one all messages are critical, of a mixed one some."""

    category: str
    boxes: Sequence[Box] = ()
    is_locked: bool = False
    is_mixed: bool = False


def rows(
    choices: Choices, subjects: Iterable[Subject], *, channels: Sequence[str], tenant_defaults: Mapping[str, bool]
) -> list[Row]:
    """The channels first, then the categories by name, what is locked last. `channels`: with an address."""
    subjects = list(subjects)
    whole = Row(EVERY, [Box(EVERY, c, _is_on_as_a_whole(choices, c, tenant_defaults)) for c in channels])
    muted = {box.channel for box in whole.boxes if not box.is_on}
    names = {s.category for s in subjects} | {category for category, _ in choices.chosen}
    found = [whole]
    for name in sorted(names - {EVERY}):
        mine = [s for s in subjects if s.category == name]
        if mine and all(s.is_critical for s in mine):
            found.append(Row(name, is_locked=True))
            continue
        boxes = [
            Box(name, c, _is_on(choices, name, c, tenant_defaults), is_muted=c in muted)
            for c in channels
            if c in _channels(mine, channels)
        ]
        found.append(Row(name, boxes, is_mixed=any(s.is_critical for s in mine)))
    if any(s.is_critical and not s.category for s in subjects):
        found.append(Row(EVERY, is_locked=True))
    return sorted(found, key=lambda row: row.is_locked)


def _channels(mine: Collection[Subject], channels: Sequence[str]) -> frozenset[str]:
    """Those on which messages about it may come; who knows, when no workflow says so."""
    voluntary = [s for s in mine if not s.is_critical]
    if not voluntary or any(not s.channels for s in voluntary):
        return frozenset(channels)
    return frozenset(c for s in voluntary for c in s.channels)


def _is_on_as_a_whole(choices: Choices, channel: str, tenant_defaults: Mapping[str, bool]) -> bool:
    chosen = choices.on_channel(channel)
    return tenant_defaults.get(channel, True) if chosen is None else chosen


def _is_on(choices: Choices, category: str, channel: str, tenant_defaults: Mapping[str, bool]) -> bool:
    unmuted = {key: is_on for key, is_on in choices.chosen.items() if is_on or key[0] != EVERY}
    decision = policy.decide(Choices(unmuted), channel=channel, category=category, tenant_defaults=tenant_defaults)
    return decision.is_allowed


def toggled(shown: Iterable[Box], *, was: Collection[str], now: Collection[str]) -> dict[Key, bool]:
    """What somebody ticked or unticked, by the names of boxes that were on before and are now."""
    return {box.key: box.name in now for box in shown if (box.name in now) is not (box.name in was)}


def chosen(choices: Choices, wanted: Mapping[Key, bool], tenant_defaults: Mapping[str, bool]) -> dict[Key, bool | None]:
    """The edit that makes it so, with None for what holds without a choice."""
    kept = {key: is_on for key, is_on in choices.chosen.items() if key not in wanted}
    edit: dict[Key, bool | None] = {}
    for category, channel in sorted(wanted):  # channels as a whole come first: categories rest on them
        is_on = wanted[category, channel]
        is_on_anyway = anyway(Choices(kept), (category, channel), tenant_defaults)
        edit[category, channel] = None if is_on_anyway is is_on else is_on
        if is_on_anyway is not is_on:
            kept[category, channel] = is_on
    return edit


def anyway(choices: Choices, key: Key, tenant_defaults: Mapping[str, bool]) -> bool:
    """What a box would say without the choice that it stands for."""
    rest = Choices({one: is_on for one, is_on in choices.chosen.items() if one != key})
    category, channel = key
    if category == EVERY:
        return _is_on_as_a_whole(rest, channel, tenant_defaults)
    return _is_on(rest, category, channel, tenant_defaults)


def all_off(choices: Choices) -> dict[Key, bool | None]:
    """Everything that may be declined."""
    named = {key: None for key, is_on in choices.chosen.items() if key[0] == EVERY and is_on}
    return {**named, (EVERY, EVERY): False}


def way_back(before: Choices, after: Choices) -> dict[Key, bool | None]:
    """The edit that makes of these choices those again."""
    keys = [*before.chosen, *(key for key in after.chosen if key not in before.chosen)]
    was = {key: before.chosen.get(key) for key in keys}
    return {key: is_on for key, is_on in was.items() if after.chosen.get(key) is not is_on}


def before(choices: Choices, edit: Iterable[Key]) -> dict[Key, bool | None]:
    """The edit that takes this one back."""
    return {key: choices.chosen.get(key) for key in edit}
