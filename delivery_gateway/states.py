"""The states of a ledger row and the steps allowed between them."""

from enum import StrEnum


class Status(StrEnum):
    PENDING = "pending"  # accepted, not yet routed
    QUEUED = "queued"  # ready for its channel
    SENDING = "sending"  # leased by a worker
    SENT = "sent"  # the provider took it
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"  # decided against; `reason` says by which rule
    SCHEDULED = "scheduled"  # waits for `due_at`: a retry, a delay, a limit
    HELD = "held"  # waits for a person
    FAILED = "failed"  # for good; has exactly one dead letter
    CANCELLED = "cancelled"
    EXPIRED = "expired"


ALLOWED: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(
        {
            Status.QUEUED,
            Status.SUPPRESSED,
            Status.SCHEDULED,
            Status.HELD,
            Status.FAILED,
            Status.CANCELLED,
            Status.EXPIRED,
        }
    ),
    Status.SCHEDULED: frozenset({Status.PENDING, Status.QUEUED, Status.CANCELLED, Status.EXPIRED, Status.HELD}),
    Status.QUEUED: frozenset(
        {Status.SENDING, Status.SENT, Status.SCHEDULED, Status.HELD, Status.CANCELLED, Status.EXPIRED, Status.FAILED}
    ),
    Status.SENDING: frozenset(
        {Status.SENT, Status.QUEUED, Status.SCHEDULED, Status.HELD, Status.FAILED, Status.SUPPRESSED, Status.EXPIRED}
    ),
    Status.HELD: frozenset({Status.QUEUED, Status.CANCELLED, Status.EXPIRED, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.BOUNCED}),
    # An operator's replay is the only way out of a terminal state.
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.DELIVERED: frozenset(),
    Status.BOUNCED: frozenset(),
    Status.SUPPRESSED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
}
TERMINAL = frozenset(s for s, steps in ALLOWED.items() if not steps) | {Status.SENT, Status.FAILED}
# Conditions of indexes: in this order for ever.
WAITING = (Status.PENDING, Status.QUEUED, Status.SCHEDULED, Status.HELD)  # not begun; may still expire
RARE = (
    Status.SCHEDULED, Status.HELD, Status.FAILED, Status.BOUNCED, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED,
)  # fmt: skip


class IllegalTransition(Exception):
    """A step that the state machine does not have."""


def transition(current: Status, target: Status) -> Status:
    """`target`, when the step is allowed. Raises IllegalTransition."""
    if target not in ALLOWED[current]:
        allowed = ", ".join(sorted(ALLOWED[current])) or "nothing"
        raise IllegalTransition(f"{current} cannot become {target}; it can become {allowed}.")
    return target


def sources_of(target: Status) -> frozenset[Status]:
    """The states from which `target` may be reached: the WHERE of every status update."""
    return frozenset(s for s, steps in ALLOWED.items() if target in steps)
