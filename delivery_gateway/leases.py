"""Claiming rows for delivery, and recording what came of them.

A claim is a lease with a fence: the row is this worker's until `lease_until`, and only the worker whose fence is still
the row's may finish it. Whoever lost its lease (a pause, a crash, a clock) changes nothing.
"""

import logging
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from delivery_gateway import dead_letters, effects, ledger, measures
from delivery_gateway.contract import Ambiguous, DeliveryError, Receipt
from delivery_gateway.models import Attempt, NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.retry import Facts, Schedule, Step, step_after, step_after_lapse
from delivery_gateway.states import Status
from traffic_control.bulk import update_from_values
from traffic_control.ids import uuid7

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)  # longer than a task may run, so that a lease outlives its task
GIVE_UP_AFTER = timedelta(days=3)
COLUMNS = (
    "status", "reason", "detail", "error_class", "error_code", "due_at", "sent_at", "attempts", "ambiguous", "crashes",
    "integration_id", "provider", "provider_message_id", "provider_response",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one claimed row. `result` is None when no call was made: `step` then says where it goes."""

    row: NotificationLog
    result: Receipt | DeliveryError | None
    started_at: datetime
    duration_ms: int = 0
    step: Step | None = None
    detail: str = ""
    integration_id: uuid.UUID | None = None
    provider: str = ""


def claim(lane: str, *, limit: int, now: datetime) -> list[NotificationLog]:
    """Up to `limit` queued rows of the lane, in order of rank, leased to the caller."""
    with transaction.atomic():
        queued = NotificationLog.objects.select_for_update(skip_locked=True).filter(lane=lane, status=Status.QUEUED)
        rows = list(queued.order_by("rank")[:limit])
        for row in rows:
            row.fence += 1
        claims = [(row.id, row.fence, Status.SENDING, now + LEASE) for row in rows]
        update_from_values(NotificationLog, ("fence", "status", "lease_until"), claims)
    return rows


def finish(outcomes: Sequence[Outcome], *, now: datetime | None = None) -> None:
    """Records the outcomes in one transaction. Rows whose fence has moved on are left alone."""
    now = now or timezone.now()
    settled = [_settle(outcome, now) for outcome in outcomes]
    with transaction.atomic():
        kept = update_from_values(
            NotificationLog,
            COLUMNS,
            [(row.id, row.fence, *(getattr(row, name) for name in COLUMNS)) for row in settled],
            match=("id", "fence"),
            where="t.status = 'sending'",
            increments="lease_until = NULL",
        )
        mine = [(o, row) for o, row in zip(outcomes, settled, strict=True) if row.id in kept]
        Attempt.objects.bulk_create([_attempt(o) for o, _ in mine if o.result is not None])
        effects.apply([(o.row, o.result, o.integration_id) for o, _ in mine], now=now)
        measures.finished(mine, now=now)
        if failed := [row for _, row in mine if row.status == Status.FAILED]:
            dead_letters.open_letters(failed)
        ledger.wake_lanes(row.lane for _, row in mine if row.status == Status.QUEUED)
    for outcome in outcomes:
        if outcome.row.id not in kept:
            log.warning("lease was lost; outcome not recorded", extra={"notification": outcome.row.id})


def release_lapsed(*, now: datetime, limit: int) -> int:
    """Rows whose worker fell silent: back to the queue, held, or failed as poison; each with its record."""
    with transaction.atomic():
        lapsed = NotificationLog.objects.select_for_update(skip_locked=True).filter(
            status=Status.SENDING, lease_until__lt=now
        )
        rows = list(lapsed.order_by("lease_until")[:limit])
        if rows:
            finish([_lapse(row) for row in rows], now=now)
    return len(rows)


def _lapse(row: NotificationLog) -> Outcome:
    is_transactional = row.lane == "in_app" or row.mode == "test"
    step = step_after_lapse(facts_of(row), row.crashes, is_transactional=is_transactional)
    log.warning("lease lapsed", extra={"notification": row.id, "channel": row.channel, "outcome": step.status})
    error = Ambiguous("The worker fell silent while it held this notification.", code="lapsed")
    return Outcome(row, error, row.lease_until or timezone.now(), step=step)


def facts_of(row: NotificationLog) -> Facts:
    return Facts(
        attempts=row.attempts,
        ambiguous=row.ambiguous,
        expires_at=row.expires_at,
        give_up_at=row.created_at + GIVE_UP_AFTER,
        max_ambiguous=CHANNELS[row.channel].max_ambiguous,
    )


def _settle(outcome: Outcome, now: datetime) -> NotificationLog:
    """The row as it shall be, as a copy: the claimed row keeps the facts it was claimed with."""
    row, result = _copy(outcome.row), outcome.result
    row.integration_id, row.provider = outcome.integration_id, outcome.provider or row.provider
    if isinstance(result, Receipt):
        row.status, row.sent_at, row.due_at, row.crashes = Status.SENT, now, None, 0
        row.attempts += 1
        row.reason = row.detail = row.error_class = row.error_code = ""
        row.provider_message_id, row.provider_response = result.provider_id[:255], result.detail[:500]
        return row
    step = outcome.step or _step(outcome, now)
    row.status, row.due_at, row.reason, row.detail = step.status, step.due_at, step.reason, outcome.detail[:500]
    row.attempts += int(step.counts_attempt and result is not None)
    row.ambiguous += int(step.counts_ambiguous)
    row.crashes = row.crashes + 1 if getattr(result, "code", "") == "lapsed" else 0
    if result is not None:
        row.error_class, row.error_code, row.detail = result.error_class, result.code[:100], str(result)[:500]
    return row


def _step(outcome: Outcome, now: datetime) -> Step:
    assert isinstance(outcome.result, DeliveryError)  # noqa: S101 - a receipt or a given step never gets here
    schedule = Schedule(tuple(settings.RETRY_SCHEDULE), settings.RETRY_MAX_BACKOFF)
    jitter = random.uniform(-1, 1)  # noqa: S311 - spreads retries, guards nothing
    return step_after(outcome.result, facts_of(outcome.row), schedule, now=now, jitter=jitter)


def _copy(row: NotificationLog) -> NotificationLog:
    return NotificationLog.from_db(
        None,
        [f.attname for f in row._meta.concrete_fields],
        [getattr(row, f.attname) for f in row._meta.concrete_fields],
    )


def _attempt(outcome: Outcome) -> Attempt:
    result = outcome.result
    is_lapse = getattr(result, "code", "") == "lapsed"
    error_class = "lapsed" if is_lapse else getattr(result, "error_class", "sent")
    return Attempt(
        id=uuid7(),
        notification_id=outcome.row.id,
        number=outcome.row.fence,
        outcome=error_class,
        code=getattr(result, "code", "")[:100],
        detail=str(getattr(result, "detail", ""))[:500],
        http_status=getattr(result, "http_status", None),
        duration_ms=outcome.duration_ms,
        started_at=outcome.started_at,
    )
