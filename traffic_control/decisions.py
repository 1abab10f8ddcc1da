"""What decides whether somebody hears of something: the rules by name, each with its sentence, and a number to keep.

The router writes one number into a ledger row: the rule that let the message pass, a rule that delays it, and for
every channel that got no row why it got none. A refusal is told by the row itself, in its reason and detail.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Their places are stored: append, never move. The sentences may change.
SENTENCES: dict[str, str] = {
    "critical": "The workflow is critical: it is sent whatever the customer prefers.",
    "channel_choice": "The customer turned {channel} {state}.",
    "category_channel_choice": 'The customer turned {channel} {state} for "{category}".',
    "category_choice": 'The customer turned "{category}" {state}.',
    "tenant_default": "The tenant has {channel} {state} for customers who did not choose.",
    "system_default": "Nobody chose, and {channel} is {state} by default.",
    "no_address": "There is no {channel} address for this customer.",
    "other_channels": "The customer turned other channels on by name, and {channel} is not among them.",
    "recipient_rate_limit": "This recipient had as much on {channel} as RECIPIENT_RATE_LIMIT allows: it had to wait.",
    "to_an_address": "It went to an address and not to a customer, so nobody's preferences were asked.",
    "duplicate": "The customer was told of the same thing within the workflow's window.",
    "address_suppressed": "The address is suppressed on {channel}.",
    "template_error": "The template could not be filled.",
    "not_in_workflow": "The workflow does not have {channel}.",
    "not_asked_for": "The event asked for other channels.",
    "send_at": "It is to be sent later.",
    "quiet_hours": "The customer keeps quiet hours.",
    "quiet_hours_digest": "The customer keeps quiet hours, and the workflow sends what comes in them as a digest.",
    "digest": "It stands for what the customer's quiet hours held.",
    "digested": "It went into a digest.",
}
RULES = ("", *SENTENCES)
PLACES = {rule: place for place, rule in enumerate(RULES)}
LEFT_OUT = ("", "no_address", "other_channels", "tenant_default")  # likewise
BITS, CHANNEL_BITS = 6, 3
HELD = ("quiet_hours", "quiet_hours_digest")  # the reasons of what waits for the end of quiet hours


@dataclass(frozen=True, slots=True)
class Decided:
    """`left_out`: the rule for each channel that was considered and got no row."""

    rule: str = ""
    delay: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)


def sentence(rule: str, *, channel: str = "", category: str = "", is_on: bool = True) -> str:
    return SENTENCES[rule].format(channel=channel, category=category, state="on" if is_on else "off")


def packed(rule: str, left_out: Mapping[str, str], channels: Sequence[str]) -> int:
    """`channels` are all that there are, in an order that only grows."""
    number = PLACES[rule]
    for channel, why in left_out.items():
        number |= LEFT_OUT.index(why) << (2 * BITS + CHANNEL_BITS * channels.index(channel))
    return number


def delayed(number: int, rule: str) -> int:
    return number | PLACES[rule] << BITS


def unpacked(number: int | None, channels: Iterable[str]) -> Decided:
    """Of no number, or of one written by a newer version: as much as this one knows."""
    if not number:
        return Decided()
    left_out = {}
    for place, channel in enumerate(channels):
        if why := _at(LEFT_OUT, number >> (2 * BITS + CHANNEL_BITS * place), CHANNEL_BITS):
            left_out[channel] = why
    return Decided(_at(RULES, number, BITS), _at(RULES, number >> BITS, BITS), left_out)


def _at(names: Sequence[str], number: int, bits: int) -> str:
    place = number & ((1 << bits) - 1)
    return names[place] if place < len(names) else ""
