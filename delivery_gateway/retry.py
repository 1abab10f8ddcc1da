"""When to try again, and what a provider's answer makes of a ledger row. Pure: facts in, a step out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Misconfigured,
    RecipientGone,
    Throttled,
)
from delivery_gateway.states import Status

MIN_RETRY_AFTER, MAX_RETRY_AFTER = 1.0, 3600.0  # seconds
JITTER = 0.2
MAX_CRASHES = 3
FINAL = (RecipientGone, ContentRejected, Misconfigured)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds to wait before the second attempt, the third, …; one attempt more than it has waits."""

    waits: tuple[float, ...] = (5, 30, 120, 600, 900, 900, 900)
    max_backoff: float = 900

    def next_attempt(self, attempt: int, error: DeliveryError, *, jitter: float = 0.0) -> timedelta | None:
        """How long to wait after failed attempt number `attempt` (from 1); None when the schedule is used up.

        `jitter` is from -1 to 1. A provider's Retry-After wins, clamped to MIN_RETRY_AFTER … MAX_RETRY_AFTER.
        """
        if error.retry_after is not None:
            return timedelta(seconds=min(max(error.retry_after, MIN_RETRY_AFTER), MAX_RETRY_AFTER))
        if isinstance(error, Throttled):
            return timedelta(seconds=self._jittered(60.0, jitter))
        if attempt > len(self.waits):
            return None
        return timedelta(seconds=self._jittered(self.waits[attempt - 1], jitter))

    def _jittered(self, wait: float, jitter: float) -> float:
        return min(wait, self.max_backoff) * (1 + JITTER * jitter)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision needs to know of a row, before this attempt is counted."""

    attempts: int
    ambiguous: int
    expires_at: datetime | None
    give_up_at: datetime
    max_ambiguous: int | None  # of the channel: None when repeats are harmless (the provider deduplicates)


@dataclass(frozen=True, slots=True)
class Step:
    """Where the row goes, and why."""

    status: Status
    due_at: datetime | None = None
    reason: str = ""
    counts_attempt: bool = True
    counts_ambiguous: bool = False


def step_after(error: DeliveryError, facts: Facts, schedule: Schedule, *, now: datetime, jitter: float) -> Step:
    """The step after a failed call. FAILED means for good: the caller opens a dead letter."""
    if isinstance(error, FINAL):
        return Step(Status.FAILED, reason=error.error_class)
    is_ambiguous = isinstance(error, Ambiguous)
    if is_ambiguous and facts.max_ambiguous is not None and facts.ambiguous >= facts.max_ambiguous:
        return Step(Status.HELD, reason="ambiguous", counts_ambiguous=True)
    counts = not isinstance(error, Throttled)
    wait = schedule.next_attempt(facts.attempts + 1, error, jitter=jitter)
    if counts and facts.attempts >= len(schedule.waits):
        wait = None  # Retry-After postpones an attempt, it does not add one
    if wait is None or now + wait > facts.give_up_at:
        return Step(Status.FAILED, reason="retries_exhausted", counts_ambiguous=is_ambiguous)
    if facts.expires_at is not None and now + wait >= facts.expires_at:
        return Step(Status.EXPIRED, reason="expired", counts_attempt=counts, counts_ambiguous=is_ambiguous)
    return Step(Status.SCHEDULED, now + wait, "retry", counts_attempt=counts, counts_ambiguous=is_ambiguous)


def step_after_refusal(facts: Facts, wait: float, reason: str, *, now: datetime) -> Step:
    """The step when the provider is left alone (`reason` says why): later, at no cost, unless that is too late."""
    due_at = now + timedelta(seconds=wait)
    if due_at > facts.give_up_at:
        return Step(Status.FAILED, reason="retries_exhausted", counts_attempt=False)
    if facts.expires_at is not None and due_at >= facts.expires_at:
        return Step(Status.EXPIRED, reason="expired", counts_attempt=False)
    return Step(Status.SCHEDULED, due_at, reason, counts_attempt=False)


def is_suspect(crashes: int) -> bool:
    """Whether one more dead worker would condemn the row: then it is sent with nothing else under way."""
    return crashes + 1 >= MAX_CRASHES


def step_after_lapse(facts: Facts, crashes: int, *, is_transactional: bool, was_alone: bool) -> Step:
    """The step when a lease ran out in silence: its worker died before, during or after the call.

    `is_transactional`: the delivery and its record are one commit (in-app, sandbox), so nothing can have left.
    `was_alone`: nothing else can have killed the worker. What was only near never ends as poison.
    """
    ambiguous = not is_transactional
    if is_suspect(crashes) and was_alone:
        return Step(Status.FAILED, reason="poison", counts_ambiguous=ambiguous)
    if ambiguous and facts.max_ambiguous is not None and facts.ambiguous >= facts.max_ambiguous:
        return Step(Status.HELD, reason="ambiguous", counts_ambiguous=True)
    return Step(Status.QUEUED, reason="lapsed", counts_attempt=False, counts_ambiguous=ambiguous)
