"""What happened on that day: pure, out of one seed."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTES = 24 * 60
INCIDENT = range(7 * 60, 8 * 60)  # minutes ago, in which one shop's Slack hook was gone
OUTAGE = range(150, 175)  # in which the mail server was slow to answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds` from acceptance until then."""

    status: str
    code: str = ""
    error_class: str = ""
    reason: str = ""
    detail: str = ""
    http_status: int | None = None
    seconds: float = 0.0
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    at: datetime
    shop: str
    channel: str
    event_type: str
    person: int
    number: int
    outcome: Outcome


SHOPS = {"Acme Shop": 2.4, "Globex Tickets": 1.1}  # messages a minute at noon
CHANNELS = {"email": 55, "slack": 15, "webhook": 12, "in_app": 12, "telegram": 6}
EVENTS = {"order.created": 40, "order.shipped": 30, "invoice.due": 15, "password.reset": 10, "newsletter": 5}
PEOPLE = 60
SUPPRESSED = (
    Outcome("suppressed", reason="channel_choice", detail="The customer has switched this channel off."),
    Outcome("suppressed", reason="category_choice", detail="The customer has switched this category off."),
    Outcome("suppressed", reason="no_address", detail="The customer has no address on this channel."),
)
WAITING = Outcome("scheduled", reason="quiet_hours", detail="Quiet hours until the morning.", attempts=0)
HOOK_GONE = Outcome("failed", "channel_not_found", "config", "misconfigured", "Slack says: channel_not_found", 404, 0.4)
FAILURES = {
    "email": Outcome("failed", "smtp_550", "recipient", "recipient_gone", "550 5.1.1 No such user here", None, 1.1),
    "slack": HOOK_GONE,
    "webhook": Outcome(
        "failed", "http_503", "transient", "attempts_exhausted", "503 Service Unavailable", 503, 2400.0, 8
    ),
    "in_app": Outcome("failed", "template_error", "content", "template_error", "'name' is undefined", None, 0.1),
    "telegram": Outcome(
        "failed", "chat_not_found", "recipient", "recipient_gone", "Bad Request: chat not found", 400, 0.6
    ),
}


def messages(now: datetime, *, seed: int) -> Iterator[Message]:
    """Oldest first."""
    dice, number = random.Random(seed), 0  # noqa: S311 - a story, not a secret
    for ago in range(MINUTES, 0, -1):
        for shop, rate in SHOPS.items():
            for _ in range(_how_many(dice, rate * _tide(now - timedelta(minutes=ago)))):
                number += 1
                at = now - timedelta(minutes=ago) + timedelta(seconds=dice.random() * 59)
                channel = dice.choices(list(CHANNELS), weights=list(CHANNELS.values()))[0]
                event = dice.choices(list(EVENTS), weights=list(EVENTS.values()))[0]
                outcome = _outcome(dice, shop, channel, ago)
                yield Message(at, shop, channel, event, dice.randrange(PEOPLE), number, outcome)


def _tide(at: datetime) -> float:
    """Between 0.25 at four in the morning and 1 twelve hours later."""
    return 0.625 - 0.375 * math.cos((at.hour + at.minute / 60 - 4) * math.pi / 12)


def _how_many(dice: random.Random, mean: float) -> int:
    """Poisson, by Knuth."""
    count, product, limit = 0, dice.random(), math.exp(-mean)
    while product > limit:
        count += 1
        product *= dice.random()
    return count


def _outcome(dice: random.Random, shop: str, channel: str, ago: int) -> Outcome:
    chance = dice.random()
    if shop == "Acme Shop" and channel == "slack" and ago in INCIDENT:
        return HOOK_GONE
    if chance < 0.05:
        return dice.choice(SUPPRESSED)
    if chance < 0.063:
        return FAILURES[channel]
    if chance > 0.985 and channel == "email":
        return WAITING
    slow = 6.0 if channel == "email" and ago in OUTAGE else 1.0
    usual = {"in_app": 0.08, "slack": 0.35, "telegram": 0.45, "webhook": 0.3}.get(channel, 0.7)
    took = dice.lognormvariate(math.log(usual * slow), 0.55)
    if channel == "email" and chance < 0.07:
        return Outcome("bounced", "smtp_552", "recipient", "bounced", "552 5.2.2 Mailbox full", None, took)
    return Outcome("delivered" if channel == "webhook" and chance > 0.5 else "sent", seconds=took)
