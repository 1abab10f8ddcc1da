"""What is left to decide when a row is claimed.

A direct send to an address goes into its lane without passing the router: nobody's preferences are concerned, and what
else the router would ask is asked here, a batch at a time. Whoever was routed before may have waited for hours, so all
are held against the suppressions of this moment.
"""

from collections.abc import Sequence
from datetime import datetime

from delivery_gateway import limits, measures, suppressions
from delivery_gateway.leases import Outcome
from delivery_gateway.ledger import Verdict
from delivery_gateway.models import NotificationLog
from delivery_gateway.retry import Step
from delivery_gateway.states import Status
from delivery_gateway.suppressions import Suppressions


def decide(rows: Sequence[NotificationLog], *, now: datetime) -> tuple[list[NotificationLog], list[Outcome]]:
    """Those to send, and what comes of the others. One query, and one round trip to Redis if there are limits."""
    suppressed = suppressions.among((row.tenant_id, row.channel, row.to) for row in rows)
    verdicts = {row.id: refusal(row, suppressed, now) or passed(row, 0.0, now) for row in rows}
    unrouted = [row for row in rows if row.routed_at is None]
    late = [row for row in unrouted if verdicts[row.id].status == Status.QUEUED]
    waits = limits.waits_for([_recipient(row) for row in late])
    verdicts |= {row.id: passed(row, wait, now) for row, wait in zip(late, waits, strict=True)}
    if unrouted:
        measures.settled(unrouted, [verdicts[row.id] for row in unrouted])
    to_send = [row for row in rows if verdicts[row.id].status == Status.QUEUED]
    others = [row for row in rows if verdicts[row.id].status != Status.QUEUED]
    return to_send, [_outcome(row, verdicts[row.id], now) for row in others]


def refusal(row: NotificationLog, suppressed: Suppressions, now: datetime) -> Verdict | None:
    """What keeps a row from being sent, whoever it is for."""
    if row.expires_at is not None and row.expires_at <= now:
        return Verdict(row.id, row.lane, Status.EXPIRED, "expired", "It expired before it could be sent.")
    address = row.tenant_id, row.channel, row.to
    if reason := suppressed.against(address, category=row.category, is_critical=row.is_critical):
        detail = f"This address is suppressed on {row.channel}: {reason}."
        return Verdict(row.id, row.lane, Status.SUPPRESSED, "address_suppressed", detail)
    return None


def passed(row: NotificationLog, wait: float, now: datetime) -> Verdict:
    """Into its lane, or there in `wait` seconds, when its recipient may be written to again."""
    if wait > 0:
        return Verdict(row.id, row.lane, Status.SCHEDULED, limits.REASON, due_at=limits.due_at(wait, now))
    return Verdict(row.id, row.lane, Status.QUEUED)


def _recipient(row: NotificationLog) -> limits.Recipient:
    return row.tenant_id, row.user_id or row.to, row.channel, row.mode


def _outcome(row: NotificationLog, verdict: Verdict, now: datetime) -> Outcome:
    step = Step(verdict.status, verdict.due_at, verdict.reason, counts_attempt=False)
    return Outcome(row, None, now, step=step, detail=verdict.detail)
