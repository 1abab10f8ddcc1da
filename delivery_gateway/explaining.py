"""Which rules decided about a row, in words. They are read from what was written down; nothing is decided anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from delivery_gateway.digests import DIGESTED
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from traffic_control import decisions
from traffic_control.decisions import Decided, sentence

Row = NotificationLog | NewNotification
ALLOWED, REFUSED, DELAYED, FAILED, LEFT_OUT = "allowed", "refused", "delayed", "failed", "left_out"
OUTCOMES = (ALLOWED, REFUSED, DELAYED, FAILED, LEFT_OUT, DIGESTED)
STOPPED = {Status.SUPPRESSED: REFUSED, Status.CANCELLED: REFUSED, Status.EXPIRED: REFUSED, Status.FAILED: FAILED,
           Status.BOUNCED: FAILED, Status.SCHEDULED: DELAYED, Status.HELD: DELAYED}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that had something to say about a channel. `until`: of a delay that still lasts."""

    channel: str
    rule: str
    outcome: str
    detail: str
    until: datetime | None = None


def decided(row: Row) -> Decided:
    if row.decision is None and row.to and not (row.user_id or row.event_id):
        return Decided("to_an_address")
    return decisions.unpacked(row.decision, CHANNELS)


def hits(row: Row) -> list[Hit]:
    """In the order in which they were asked: consent, a delay, then what the row says of itself."""
    known = decided(row)
    stopped = DIGESTED if row.reason == DIGESTED else STOPPED.get(Status(row.status), "")
    found = []
    if known.rule and not (stopped and row.reason == known.rule):
        found.append(_hit(row, known.rule, ALLOWED))
    if known.delay and not (stopped and row.reason == known.delay):
        found.append(_hit(row, known.delay, DELAYED))
    if stopped:
        found.append(_own(row, stopped))
    return found


def left_out(rows: Iterable[Row]) -> list[Hit]:
    """The channels that were considered for the one customer of these rows, and got none."""
    found = {channel: rule for row in rows for channel, rule in decided(row).left_out.items()}
    return [
        Hit(channel, rule, LEFT_OUT, sentence(rule, channel=channel, is_on=False)) for channel, rule in found.items()
    ]


def _hit(row: Row, rule: str, outcome: str) -> Hit:
    return Hit(row.channel, rule, outcome, sentence(rule, channel=row.channel, category=row.category))


def _own(row: Row, outcome: str) -> Hit:
    """What stopped it, or keeps it waiting, as the row tells it."""
    rule = row.reason or str(row.status)
    detail = row.detail
    if not detail and rule in decisions.SENTENCES:
        detail = sentence(rule, channel=row.channel, category=row.category, is_on=outcome != REFUSED)
    return Hit(row.channel, rule, outcome, detail, row.due_at if outcome == DELAYED else None)


SAID = {
    Status.PENDING: "It is accepted, and nothing is decided yet.",
    Status.QUEUED: "It is on its way.",
    Status.SENDING: "It is being sent right now.",
    Status.SENT: "The provider took it{at}.",
    Status.DELIVERED: "The provider says that it arrived.",
    Status.BOUNCED: "The provider took it and could not deliver it.",
    Status.SUPPRESSED: "It was not sent.",
    Status.SCHEDULED: "It waits{until}.",
    Status.HELD: "It waits for a person to decide.",
    Status.FAILED: "It failed for good{after}.",
    Status.CANCELLED: "It was cancelled.",
    Status.EXPIRED: "It expired before it could be sent.",
}


IN_A_DIGEST = "It went into a digest, which has a row of its own."


def summary(row: NotificationLog) -> str:
    """What became of it and why, in a sentence or two."""
    at = f" at {row.sent_at:%Y-%m-%d %H:%M:%S} UTC" if row.sent_at else ""
    until = f" until {row.due_at:%Y-%m-%d %H:%M:%S} UTC" if row.due_at else ""
    after = f" after {row.attempts} attempt{'' if row.attempts == 1 else 's'}" if row.attempts else ""
    said = IN_A_DIGEST if row.reason == DIGESTED else SAID[Status(row.status)].format(at=at, until=until, after=after)
    why = hits(row)[-1:]
    return " ".join([said, *(hit.detail for hit in why if hit.detail and hit.detail != said)])
