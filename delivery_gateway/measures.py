"""What the ledger's rows count for in the metrics: a whole batch in one go, once it is committed."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from traffic_control.ids import time_of
from traffic_control.metrics import (
    ATTEMPTS,
    CALL_SECONDS,
    DEAD_LETTERS,
    DELIVERIES,
    DIGEST_ITEMS,
    LATENCY,
    NOTIFICATIONS,
    SUPPRESSIONS,
    TEMPLATE_ERRORS,
    Tally,
)

if TYPE_CHECKING:  # both call this module
    from delivery_gateway.leases import Outcome
    from delivery_gateway.ledger import NewNotification, Verdict

DECIDED = {
    Status.QUEUED: "created",
    Status.SCHEDULED: "deferred",
    Status.SUPPRESSED: "suppressed",
    Status.EXPIRED: "expired",
    Status.FAILED: "failed",
}
CAME_TO = {Status.SCHEDULED: "retry", Status.QUEUED: "requeued"}  # the others are called as their status


def opened(rows: "Iterable[NewNotification]") -> None:
    """Rows that the router decided on by opening them; what is still to be routed counts when it is."""
    tally = Tally()
    for row in rows:
        if row.routed_at is not None:
            _decided(tally, row.channel, Status(row.status), row.reason)
    tally.add_on_commit()


def settled(rows: Sequence[NotificationLog], verdicts: Iterable["Verdict"]) -> None:
    """Rows that were opened to be routed, and now were."""
    tally, channels = Tally(), {row.id: row.channel for row in rows}
    for verdict in verdicts:
        _decided(tally, channels[verdict.id], verdict.status, verdict.reason)
    tally.add_on_commit()


def digested(digests: Iterable[tuple[str, int]]) -> None:
    """The channel of each digest, and how many went into it."""
    tally = Tally()
    for channel, number in digests:
        tally.observe(DIGEST_ITEMS, number, channel)
    tally.add_on_commit()


def finished(outcomes: Iterable[tuple["Outcome", NotificationLog]], *, now: datetime) -> None:
    """Outcomes, each with its row as it became."""
    tally = Tally()
    for outcome, row in outcomes:
        _finished(tally, outcome, row, now)
    tally.add_on_commit()


def _decided(tally: Tally, channel: str, status: Status, reason: str) -> None:
    tally.count(NOTIFICATIONS, channel, DECIDED[status])
    if status == Status.SUPPRESSED:
        tally.count(SUPPRESSIONS, channel, reason)
    if status == Status.FAILED:
        tally.count(DEAD_LETTERS, channel)
        if reason == "template_error":
            tally.count(TEMPLATE_ERRORS, channel)


def _finished(tally: Tally, outcome: "Outcome", row: NotificationLog, now: datetime) -> None:
    status, provider = Status(row.status), row.provider or "none"
    came_to = CAME_TO.get(status, str(status))
    if outcome.result is None and status == Status.SCHEDULED:
        came_to = "deferred"  # no call was made
    tally.count(DELIVERIES, row.channel, provider, came_to)
    if outcome.result is not None:
        error_class = _error_class(outcome)
        tally.count(ATTEMPTS, row.channel, provider, error_class)
        if error_class != "lapsed" and row.channel != "in_app":
            tally.observe(CALL_SECONDS, outcome.duration_ms / 1000, row.channel, provider)
    if status == Status.SENT:
        tally.observe(LATENCY, _seconds_since_acceptance(row.id, row.sent_at or now), row.channel)
    if status == Status.FAILED:
        tally.count(DEAD_LETTERS, row.channel)


def _error_class(outcome: "Outcome") -> str:
    """`none` for success, `lapsed` for a lease that ran out in silence."""
    is_lapse = getattr(outcome.result, "code", "") == "lapsed"
    return "lapsed" if is_lapse else getattr(outcome.result, "error_class", "none")


def _seconds_since_acceptance(row_id: uuid.UUID, now: datetime) -> float:
    """The id has the time of acceptance in it: of the direct send, or of the event it was derived from."""
    return max(0.0, now.timestamp() - time_of(row_id))
