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
from functools import cache
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from delivery_gateway import counters, dead_letters, effects, ledger, measures
from delivery_gateway.contract import Ambiguous, DeliveryError, Receipt
from delivery_gateway.models import Attempt, NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.retry import MAX_CRASHES, Facts, Schedule, Step, step_after, step_after_lapse
from delivery_gateway.states import Status
from traffic_control.bulk import update_from_values
from traffic_control.crash_points import Point, crash_point
from traffic_control.fair_queue import AllTurns, Queue
from traffic_control.ids import uuid7

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)  # longer than a task may run, so that a lease outlives its task
GIVE_UP_AFTER = timedelta(days=3)
# A sent row changes in few columns that differ from row to row; any other may change in all of these.
SENT = ("sent_at", "integration_id", "provider", "provider_message_id", "provider_response")
HAS_SENT = """status = 'sent', attempts = t.attempts + 1, crashes = 0, due_at = NULL, lease_until = NULL,
    reason = '', detail = '', error_class = '', error_code = ''"""
OTHERWISE = (
    "status", "reason", "detail", "error_class", "error_code", "due_at", "attempts", "ambiguous", "crashes",
    "integration_id", "provider",
)  # fmt: skip
ATTEMPT = (
    "id", "notification", "number", "outcome", "code", "detail", "http_status", "duration_ms", "started_at",
)  # fmt: skip
NO_ATTEMPT = (None,) * len(ATTEMPT)
ALONE = "alone"  # the reason of a row that is being sent with nothing else under way beside it
TURNS = AllTurns()


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

    @property
    def ended_at(self) -> datetime:
        """When the provider answered; it is recorded somewhat later, together with others."""
        return self.started_at + timedelta(milliseconds=self.duration_ms)


def claim(lane: str, *, limit: int, now: datetime) -> list[NotificationLog]:
    """Up to `limit` queued rows of the lane, leased to the caller: tenants take turns, each one's by rank.

    From here on they count as routed; a row that nobody has routed yet still says so, and the caller has to do it.
    """
    turns, queue = TURNS.of(lane), queue_of(lane)
    if connection.vendor == "postgresql":
        values = turns.params(limit) | {"lease_until": now + LEASE, "now": now}
        claimed = NotificationLog.objects.raw(_claim(turns.ctes(queue)), values)
        return turns.note(claimed, queue.order, limit)
    with transaction.atomic():
        queued = NotificationLog.objects.filter(lane=lane, status=Status.QUEUED)
        rows = turns.by_window(queued, queue.order, limit)
        for row in rows:
            row.fence += 1
        claims = [(row.id, row.fence, Status.SENDING, now + LEASE, row.routed_at or now) for row in rows]
        update_from_values(NotificationLog, ("fence", "status", "lease_until", "routed_at"), claims)
    return rows


@cache
def queue_of(lane: str) -> Queue:
    """Without a parameter for the lane: there are few, and a plan for each."""
    if lane not in settings.LANES:
        raise ValueError(lane)
    waiting = f"lane = '{lane}' AND status = 'queued'"
    return Queue(NotificationLog._meta.db_table, waiting, order="rank", columns="id, tenant_id, routed_at")


@cache
def _claim(ctes: str) -> str:
    """One statement, so one commit. The CTE keeps the planner from locking rows more than once."""
    table, names = NotificationLog._meta.db_table, [str(f.column) for f in NotificationLog._meta.concrete_fields]
    returned = ", ".join(f"{'q' if name == 'routed_at' else 't'}.{connection.ops.quote_name(name)}" for name in names)
    return f"""
        WITH RECURSIVE {ctes}
        UPDATE {table} AS t
        SET fence = t.fence + 1, status = 'sending', lease_until = %(lease_until)s,
            routed_at = coalesce(t.routed_at, %(now)s)
        FROM q WHERE t.id = q.id RETURNING {returned}, q.go_on_after
    """  # noqa: S608 - names come from the model


def finish(outcomes: Sequence[Outcome], *, now: datetime | None = None) -> None:
    """Records the outcomes in one transaction. Rows whose fence has moved on are left alone."""
    now = now or timezone.now()
    settled = [(outcome, _settle(outcome, now)) for outcome in outcomes]
    with transaction.atomic():
        kept = _write(settled)
        mine = settled if len(kept) == len(settled) else [pair for pair in settled if pair[1].id in kept]
        bounced = effects.apply([(o.row, o.result, o.integration_id) for o, _ in mine], now=now)
        measures.finished(mine, now=now)
        if failed := [row for _, row in mine if row.status == Status.FAILED]:
            dead_letters.open_letters(failed)
        counters.finished([row for _, row in mine], bounced)
        ledger.wake_lanes(row.lane for _, row in mine if row.status == Status.QUEUED)
        crash_point(Point.OUTCOMES_WRITTEN)
    for outcome in outcomes if mine is not settled else ():
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
            finish([lapse(as_claimed(row)) for row in rows], now=now)
            crash_point(Point.LEASES_RELEASED)
    return len(rows)


def as_claimed(row: NotificationLog) -> NotificationLog:
    if row.lease_until and row.routed_at == row.lease_until - LEASE:
        row.routed_at = None  # it was this claim that wrote it: see `claim`
    return row


def lapse(row: NotificationLog) -> Outcome:
    """Its worker has died or fallen silent, and may have sent it."""
    is_transactional = row.lane == "in_app" or row.mode == "test"
    was_alone = row.reason == ALONE
    step = step_after_lapse(facts_of(row), row.crashes, is_transactional=is_transactional, was_alone=was_alone)
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
        row.status, row.sent_at, row.due_at, row.crashes = Status.SENT, min(now, outcome.ended_at), None, 0
        row.attempts += 1
        row.reason = row.detail = row.error_class = row.error_code = ""
        row.provider_message_id = storable(result.provider_id, 255)
        row.provider_response = storable(result.detail, 500)
        return row
    step = outcome.step or _step(outcome, now)
    row.status, row.due_at, row.reason, row.detail = step.status, step.due_at, step.reason, outcome.detail[:500]
    row.attempts += int(step.counts_attempt and result is not None)
    row.ambiguous += int(step.counts_ambiguous)
    if result is not None:
        most = MAX_CRASHES - (step.status != Status.FAILED)  # the last one makes it poison, and counts only then
        row.crashes = min(row.crashes + 1, most) if result.code == "lapsed" else 0
        row.error_class, row.error_code = result.error_class, storable(result.code, 100)
        row.detail = storable(str(result), 500)
    return row


def _step(outcome: Outcome, now: datetime) -> Step:
    assert isinstance(outcome.result, DeliveryError)  # noqa: S101 - a receipt or a given step never gets here
    schedule = Schedule(tuple(settings.RETRY_SCHEDULE), settings.RETRY_MAX_BACKOFF)
    jitter = random.uniform(-1, 1)  # noqa: S311 - spreads retries, guards nothing
    return step_after(outcome.result, facts_of(outcome.row), schedule, now=now, jitter=jitter)


def _copy(row: NotificationLog) -> NotificationLog:
    """Django's own ways to copy a row cost more than all else that is done about it."""
    copied = NotificationLog.__new__(NotificationLog)
    copied.__dict__.update(row.__dict__)
    return copied


def _write(settled: Sequence[tuple[Outcome, NotificationLog]]) -> set[uuid.UUID]:
    """The rows and their attempts: one statement for what was sent, one for the rest. Ids of those still ours."""
    sent = [pair for pair in settled if pair[1].status == Status.SENT]
    others = [pair for pair in settled if pair[1].status != Status.SENT] if len(sent) < len(settled) else []
    kept: set[uuid.UUID] = set()
    for pairs, columns, increments in ((sent, SENT, HAS_SENT), (others, OTHERWISE, "lease_until = NULL")):
        if pairs:
            values = attrgetter("id", "fence", *columns)
            kept |= update_from_values(
                NotificationLog,
                columns,
                [(*values(row), *_attempt(outcome)) for outcome, row in pairs],
                match=("id", "fence"),
                where="t.status = 'sending'",
                increments=increments,
                beside=(Attempt, ATTEMPT),
            )
    return kept


def _attempt(outcome: Outcome) -> tuple[Any, ...]:
    """The values of ATTEMPT. Without an id when no call was made: then there is none."""
    result, row = outcome.result, outcome.row
    if result is None:
        return NO_ATTEMPT
    code, outcome_name = "", "sent"
    if isinstance(result, DeliveryError):
        code, outcome_name = storable(result.code, 100), "lapsed" if result.code == "lapsed" else result.error_class
    return (
        uuid7(),
        row.id,
        row.fence,
        outcome_name,
        code,
        storable(result.detail, 500),
        result.http_status,
        outcome.duration_ms,
        outcome.started_at,
    )


def storable(text: str, limit: int) -> str:
    """As much of what a provider said as a column takes; PostgreSQL knows neither NUL nor half a character."""
    if not text.isascii() or "\0" in text:
        text = text.replace("\0", "").encode("utf-8", "replace").decode()
    return text[:limit]
