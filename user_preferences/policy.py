"""Whom a message may reach: a pure decision, with the rule that made it and a sentence an operator can read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from traffic_control.decisions import sentence

CHANNELS = ("email", "slack", "teams", "telegram", "webhook", "in_app")
ON_WITHOUT_ADDRESS = frozenset({"email", "in_app"})  # wanted by default; the others only where an address was given
EVERY = ""  # as a channel: all of them; as a category: whatever the message is about


@dataclass(frozen=True, slots=True)
class Choices:
    """What one customer chose: (category, channel) → on or off. Sparse; EVERY stands for the whole."""

    chosen: Mapping[tuple[str, str], bool] = field(default_factory=lambda: MappingProxyType({}))

    def on_channel(self, channel: str) -> bool | None:
        """The choice for a channel as a whole; None when there is none."""
        return self.chosen.get((EVERY, channel), self.chosen.get((EVERY, EVERY)))

    def on_category(self, category: str, channel: str = EVERY) -> bool | None:
        return self.chosen.get((category, channel)) if category else None

    def channels(self, *, on: bool) -> frozenset[str]:
        """The channels that were turned on (or off) by name."""
        return frozenset(c for (category, c), is_on in self.chosen.items() if category == EVERY and c and is_on is on)


NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True)
class Decision:
    is_allowed: bool
    rule: str
    detail: str


def decide(
    choices: Choices,
    *,
    channel: str,
    category: str = "",
    is_critical: bool = False,
    tenant_defaults: Mapping[str, bool] = MappingProxyType({}),
    has_address: bool = True,
) -> Decision:
    """The first rule that has something to say. A channel muted as a whole stays muted, whatever the category says."""
    if not has_address:
        return _decision(False, "no_address", channel)
    if is_critical:
        return _decision(True, "critical", channel)
    return _choice(choices, channel, category) or _default(channel, tenant_defaults)


def _choice(choices: Choices, channel: str, category: str) -> Decision | None:
    """What the customer chose, the most specific choice first; None when they left it open."""
    as_a_whole = choices.on_channel(channel)
    if as_a_whole is False:
        return _decision(False, "channel_choice", channel)
    if (chosen := choices.on_category(category, channel)) is not None:
        return _decision(chosen, "category_channel_choice", channel, category)
    if (chosen := choices.on_category(category)) is not None:
        return _decision(chosen, "category_choice", channel, category)
    return _decision(True, "channel_choice", channel) if as_a_whole else None


def _default(channel: str, tenant_defaults: Mapping[str, bool]) -> Decision:
    if (default := tenant_defaults.get(channel)) is None:
        return _decision(True, "system_default", channel)
    return _decision(default, "tenant_default", channel)


def _decision(is_allowed: bool, rule: str, channel: str, category: str = "") -> Decision:
    return Decision(is_allowed, rule, sentence(rule, channel=channel, category=category, is_on=is_allowed))


def is_wanted(
    choices: Choices, *, channel: str, category: str, tenant_defaults: Mapping[str, bool], has_address: bool
) -> bool:
    """Consent alone: choices and tenant defaults need no address, the system default of a chat channel does."""
    decision = decide(choices, channel=channel, category=category, tenant_defaults=tenant_defaults)
    if decision.rule == "system_default":
        return has_address or channel in ON_WITHOUT_ADDRESS
    return decision.is_allowed


def default_channels(
    choices: Choices, reachable: Collection[str], tenant_defaults: Mapping[str, bool] = MappingProxyType({})
) -> list[str]:
    """The channels of an event that no workflow describes; `reachable` are those with an address.

    A customer who turned some channels on hears on exactly these, everybody else on all that are on by default.
    Channels turned off come along: their rows say why nothing was sent.
    """
    on, off = choices.channels(on=True), choices.channels(on=False)
    if not on:
        on = frozenset(c for c in reachable if tenant_defaults.get(c, True))
    return [channel for channel in CHANNELS if channel in on | off]


def left_out(
    choices: Choices,
    channels: Collection[str],
    reachable: Collection[str],
    tenant_defaults: Mapping[str, bool] = MappingProxyType({}),
) -> dict[str, str]:
    """For every channel that is not among `default_channels`, the rule that kept it out."""
    why = "other_channels" if choices.channels(on=True) else ""
    missing = [channel for channel in CHANNELS if channel not in channels]
    return {c: why or ("tenant_default" if c in reachable else "no_address") for c in missing}
