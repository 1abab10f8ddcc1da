"""What a task has on its way to providers: sends on a pool of threads, recorded in bulk as the answers come in."""

import logging
import queue
import random
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from delivery_gateway import journal, leases, metronome, runway
from delivery_gateway.circuit_breaker import Gate, Result, is_failure
from delivery_gateway.circuit_store import Key
from delivery_gateway.contract import Ambiguous, Channel, DeliveryError, Message, Receipt
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.retry import Step, step_after_refusal
from delivery_gateway.states import Status
from delivery_gateway.unsubscribe_links import link_for
from tenants.integrations import IntegrationConfig
from traffic_control.crash_points import Point, crash_point
from traffic_control.outage import is_outage

log = logging.getLogger(__name__)

# What has landed but is not recorded yet may be sent again if the process is killed: never more than this.
FLUSH_ROWS, FLUSH_SECONDS = 100, 0.05
PARKED = 1_000  # sends that wait for an answer to another one
RECORD_EVERY = 0.25  # seconds, however much there is to claim: neighbours are only sent when it is written down
INFINITY = float("inf")
LOOK_EVERY = 0.25  # seconds, for sends that have become slow
STAY_AWAY = 3.0  # seconds, doubled at random, that a message waits when its provider has a full house already
WRITE_AGAIN = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between tries to record what came in, while PostgreSQL is away
FAILING = "Calls to this provider keep failing; the next one is made when it may be well again."
SLOW = "This provider is slow, and has as many calls to answer as it may have."
NOT_STARTED = Step(Status.QUEUED, reason="not_started", counts_attempt=False)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed row and the provider that takes it. `circuit` is None when nothing leaves (sandbox, inbox).

    `start_at` and `start_by` are moments of `time.monotonic()`.
    """

    row: NotificationLog
    provider: Channel
    config: IntegrationConfig | None
    circuit: Key | None = None
    is_probe: bool = False
    start_at: float = 0.0
    start_by: float = float("inf")

    @property
    def owner(self) -> Hashable:
        """Whose slowness it would be."""
        return self.circuit or (self.row.tenant_id, self.row.channel)


class Flight:
    """Takes jobs at any time; `size` of them are out. Its threads never touch the database."""

    def __init__(self, gate: Gate) -> None:
        self.size = 0
        self._gate = gate
        self._journal = journal.of_process()
        self._runway = runway.of_process(settings.DELIVERY_CONCURRENCY)
        self._landed: queue.SimpleQueue[tuple[Job, Outcome]] = queue.SimpleQueue()
        self._recorded_at = time.monotonic()

    def wants_more(self, plenty: int) -> bool:
        """Whether less than `plenty` waits for a thread of this process, not too much for an answer, and what has come
        in is recorded."""
        return self._runway.waiting < plenty and self._runway.parked < PARKED and not self._is_behind

    def take(self, jobs: Sequence[Job]) -> None:
        """Starts each job at its moment."""
        self.size += len(jobs)
        now = time.monotonic()
        for job in jobs:
            fly = partial(self._fly, job)
            if job.start_at <= now:
                self._runway.submit(job.owner, fly)
            else:
                metronome.of_process().at(job.start_at, partial(self._runway.submit, job.owner, fly))

    def has_news(self) -> bool:
        """Whether something has come in that is not recorded yet."""
        return not self._landed.empty()

    @property
    def _is_behind(self) -> bool:
        """Whether what has come in should be recorded before more is claimed."""
        landed = self._landed.qsize()
        return landed >= FLUSH_ROWS or (landed > 0 and time.monotonic() - self._recorded_at > RECORD_EVERY)

    def land(
        self, seconds: float = INFINITY, *, silence: float = INFINITY, enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Records what comes in, until nothing is out, `seconds` have passed, nothing has come in for `silence`, or it
        is `enough`."""
        until = time.monotonic() + seconds
        while self.size and not enough() and (now := time.monotonic()) < until:
            self._runway.make_way()
            landed = self._gathered(min(until, now + LOOK_EVERY, now + silence))
            if not landed and silence < LOOK_EVERY:
                return
            if not landed:
                continue
            self.size -= len(landed)
            # First, so that a circuit that opens spares what has not started.
            self._gate.report([r for job, o in landed if (r := _result(job, o))], is_last=not self.size)
            record([outcome for _, outcome in landed])
            self._recorded_at = time.monotonic()

    def _gathered(self, until: float) -> list[tuple[Job, Outcome]]:
        """FLUSH_ROWS at once, or what has come in FLUSH_SECONDS after the first; nothing when the time is up."""
        landed: list[tuple[Job, Outcome]] = []
        while len(landed) < min(FLUSH_ROWS, self.size):
            try:
                landed.append(self._landed.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
            if len(landed) == 1:
                until = time.monotonic() + FLUSH_SECONDS
        return landed

    def _fly(self, job: Job, has_room: bool) -> bool:
        """Whether it was answered, by a yes or a no."""
        outcome = self._outcome(job, has_room)
        self._landed.put((job, outcome))
        return outcome.result is not None and not is_failure(outcome.result)

    def _outcome(self, job: Job, has_room: bool) -> Outcome:
        if self._runway.is_closed or time.monotonic() > job.start_by:  # others were slow: give it back, unsent
            return Outcome(job.row, None, timezone.now(), step=NOT_STARTED)
        if job.circuit and not job.is_probe and (wait := self._gate.refusal(job.circuit)) is not None:
            return refused(job, wait)
        if not has_room:
            wait = STAY_AWAY * (1 + random.random())  # noqa: S311 - spreads load, guards nothing
            step = step_after_refusal(leases.facts_of(job.row), wait, "provider_slow", now=timezone.now())
            return not_now(job, step, SLOW)
        self._journal.started(job.row)
        crash_point(Point.SEND_BEGUN)
        outcome = attempt(job)
        crash_point(Point.PROVIDER_ANSWERED)
        self._journal.finished(outcome)
        return outcome


def record(outcomes: Sequence[Outcome]) -> None:
    """Messages have left, so a PostgreSQL that is away for some seconds is waited for."""
    crash_point(Point.SEND_LANDED)
    _finish(outcomes)
    crash_point(Point.OUTCOMES_RECORDED)
    journal.of_process().recorded(outcomes)


def _finish(outcomes: Sequence[Outcome]) -> None:
    for pause in WRITE_AGAIN:
        try:
            return leases.finish(outcomes)
        except Exception as exc:
            if not is_outage(exc):
                raise
            log.warning("outcomes not recorded (%s); trying again", type(exc).__name__, extra={"count": len(outcomes)})
            time.sleep(pause)
            close_old_connections()
    return leases.finish(outcomes)


def attempt(job: Job) -> Outcome:
    """Sends now."""
    row, config = job.row, job.config
    started_at, began = timezone.now(), time.perf_counter()
    result: Receipt | DeliveryError
    try:
        result = job.provider.send(message_of(row, config))
    except DeliveryError as error:
        result = error
    except Exception as error:  # an adapter's bug must not be taken for "not sent"
        log.exception("adapter failed", extra={"notification": row.id, "channel": row.channel})
        result = Ambiguous(f"{type(error).__name__} in the {row.channel} adapter", code="adapter_error")
    return Outcome(
        row,
        result,
        started_at,
        duration_ms=int((time.perf_counter() - began) * 1000),
        integration_id=config.id if config else None,
        provider=provider_name(row, config),
    )


def refused(job: Job, wait: float) -> Outcome:
    """The provider's circuit is open: back to the ledger, no attempt counted."""
    step = step_after_refusal(leases.facts_of(job.row), wait, "circuit_open", now=timezone.now())
    return not_now(job, step, FAILING)


def not_now(job: Job, step: Step, detail: str) -> Outcome:
    """No call was made."""
    config, provider = job.config, provider_name(job.row, job.config)
    integration_id = config.id if config else None
    return Outcome(
        job.row, None, timezone.now(), step=step, detail=detail, integration_id=integration_id, provider=provider
    )


def provider_name(row: NotificationLog, config: IntegrationConfig | None) -> str:
    if row.mode == "test":
        return "sandbox"
    return config.provider if config else CHANNELS[row.channel].provider


def address_of(row: NotificationLog, config: IntegrationConfig | None) -> str:
    """An empty address means the integration's own (its hook, its chat)."""
    own = CHANNELS[row.channel].address_default(config) if row.mode == "live" and not row.to else ""
    return row.to or own or ""


def message_of(row: NotificationLog, config: IntegrationConfig | None = None) -> Message:
    """What the adapter gets."""
    return Message(
        id=row.id,
        channel=row.channel,
        address=address_of(row, config),
        subject=row.subject,
        body=row.body,
        html=row.html,
        event_type=row.event_type,
        event_id=row.event_id,
        user_id=row.user_id,
        payload=row.payload or {},
        created_at=row.created_at,
        attempt=row.attempts + 1,
        unsubscribe_url=link_for(row),
    )


def _result(job: Job, outcome: Outcome) -> Result | None:
    """What the circuit hears of it; nothing when no call was made."""
    if job.circuit is None or outcome.result is None:
        return None
    return Result(job.circuit, outcome.result, job.is_probe, outcome.started_at.timestamp(), outcome.duration_ms / 1000)
