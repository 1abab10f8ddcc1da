"""Delivers one lane: claims batches, sets aside what cannot go now, sends the rest concurrently."""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from django.conf import settings
from django.utils import timezone

from delivery_gateway import journal, late_routing, leases, pacing, suspects, trial_messages
from delivery_gateway.circuit_breaker import GO, Gate
from delivery_gateway.circuit_store import Key
from delivery_gateway.contract import DeliveryError, Misconfigured
from delivery_gateway.effects import uses_credentials
from delivery_gateway.flight import Flight, Job, address_of, attempt, not_now, provider_name, record, refused
from delivery_gateway.harbour import harbour
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS, get_provider
from delivery_gateway.retry import Step
from delivery_gateway.sandbox import Inbox, Sandbox, is_instant
from delivery_gateway.states import Status
from delivery_gateway.trial_messages import is_trial
from tenants.integrations import IntegrationConfig, default_integrations
from traffic_control.crash_points import Point, crash_point
from traffic_control.wakeup import publish, wake

log = logging.getLogger(__name__)

BATCH = 100  # rows that a claim takes
PORTION = 25  # beside somebody with little to send, who would wait until those claimed before have made way
START_WINDOW = 8.0  # seconds in which a batch's sends must begin; with 15 s a send, a batch ends well inside its lease
TASK_SECONDS = 5.0  # a task takes further batches this long before it hands over
PATIENCE = 0.25  # seconds a task waits for the last of its sends
SILENCE = 0.05  # seconds without an answer after which it waits no longer: what hangs would hold up all who come next
PAUSED = "The integration is paused; repair it to resume."


def deliver(lane: str) -> int:
    """Delivers what is queued in the lane; how many rows it claimed. Safe to run at any time, any number of times.

    Returns when all has landed, or when only what is slow or waits for its turn is left; that lands by itself.
    """
    began, total, gate, most = time.monotonic(), 0, Gate(), BATCH
    flight, is_inline = Flight(gate), settings.CELERY_TASK_ALWAYS_EAGER
    try:
        while rows := _claimed(lane, most):
            total += len(rows)
            if total == BATCH and not is_inline:
                publish(f"deliver.{lane}")  # concurrency grows with the backlog
            together, suspected = suspects.apart(rows)
            if together:
                flight.take(_ready(together, gate))
            if suspected:
                suspects.send_one(suspected, flight, lambda row: _ready([row], gate))
            log.info("delivered", extra={"stage": f"deliver.{lane}", "count": len(rows)})
            if len(rows) < most:
                break
            most = PORTION if is_uneven(rows) else most
            flight.land(enough=partial(flight.wants_more, 0 if is_inline else most))
            if time.monotonic() - began > TASK_SECONDS:
                wake(f"deliver.{lane}")
                break
        if is_inline:
            flight.land()
        else:
            flight.land(PATIENCE, silence=SILENCE)
    finally:
        if flight.size:
            harbour().leave(flight)
    return total


def is_uneven(rows: Sequence[NotificationLog]) -> bool:
    """Whether somebody gave all that it had waiting, and somebody more than that."""
    given = Counter(row.tenant_id for row in rows)
    return min(given.values()) < len(rows) // len(given)


def _claimed(lane: str, most: int) -> list[NotificationLog]:
    now = timezone.now()
    holds = journal.of_process().claiming(lane, now + leases.LEASE)
    rows = leases.claim(lane, limit=most, now=now)
    crash_point(Point.ROWS_CLAIMED)
    holds(rows)
    crash_point(Point.ROWS_HELD)
    return rows


def _ready(rows: list[NotificationLog], gate: Gate) -> list[Job]:
    """Those to send now or in a moment. All others are settled here."""
    to_send, settled = late_routing.decide(rows, now=timezone.now())
    jobs = _in_turn(_admitted(_with_providers(to_send, settled), gate, settled), settled)
    instant = [job for job in jobs if is_instant(job.provider, job.row.to)]
    if settled or instant:
        record(settled + [attempt(job) for job in instant])
    return [job for job in jobs if not is_instant(job.provider, job.row.to)] if instant else jobs


def _with_providers(rows: list[NotificationLog], settled: list[Outcome]) -> list[Job]:
    """Each row with the provider that takes it, unless it goes nowhere now."""
    configs = {
        channel: default_integrations({r.tenant_id for r in rows if r.channel == channel}, channel)
        for channel in {r.channel for r in rows if r.mode == "live" and CHANNELS[r.channel].has_provider}
    }
    jobs, now = [], timezone.now()
    for row in rows:
        try:
            config = _config(row, configs)
            if config is not None and config.is_paused and uses_credentials(row):
                step = Step(Status.HELD, reason="integration_paused")
                settled.append(Outcome(row, None, now, step=step, detail=PAUSED, integration_id=config.id))
            else:
                jobs.append(_job(row, config))
        except DeliveryError as error:
            settled.append(Outcome(row, error, now))
    return jobs


def _config(
    row: NotificationLog, defaults: Mapping[str, Mapping[uuid.UUID, IntegrationConfig]]
) -> IntegrationConfig | None:
    """The integration that a row goes through; None for the platform's own way. Raises Misconfigured."""
    if row.mode != "live":
        return None
    return trial_messages.config_of(row) if is_trial(row) else defaults.get(row.channel, {}).get(row.tenant_id)


def _job(row: NotificationLog, config: IntegrationConfig | None) -> Job:
    start_by = time.monotonic() + START_WINDOW
    if row.mode == "test":
        return Job(row, Sandbox(), None, start_by=start_by)
    if not CHANNELS[row.channel].has_provider:
        return Job(row, Inbox(), None)
    provider = get_provider(row.channel, integration=config)
    if provider is None:
        detail = f"Nothing is configured for {row.channel}: add an integration, or set it up for the platform."
        raise Misconfigured(detail, code="not_configured")
    circuit = Key(row.tenant_id, row.channel, provider_name(row, config))
    return Job(row, provider, config, circuit, start_by=start_by)


def _admitted(jobs: list[Job], gate: Gate, settled: list[Outcome]) -> list[Job]:
    """Without those whose circuit is open."""
    entries = iter(gate.admit([job.circuit for job in jobs if job.circuit]))
    admitted = []
    for job in jobs:
        entry = next(entries) if job.circuit else GO
        if entry.wait is not None:
            settled.append(refused(job, entry.wait))
        else:
            admitted.append(replace(job, is_probe=entry.is_probe))
    return admitted


def _is_paced(job: Job) -> bool:
    return job.circuit is not None and not job.is_probe


def _in_turn(jobs: list[Job], settled: list[Outcome]) -> list[Job]:
    """Each with the moment of its turn; without those that wait for it in the ledger."""
    now, clock = timezone.now(), time.monotonic()
    paced = [(j.row, address_of(j.row, j.config), j.config) for j in jobs if _is_paced(j)]
    waits, in_turn = iter(pacing.waits(paced, now=now)), []
    for job in jobs:
        wait = next(waits) if _is_paced(job) else 0.0
        if wait > pacing.LONGEST_HERE:
            settled.append(not_now(job, pacing.put_off(wait, now=now), pacing.DETAIL))
        elif wait > 0:
            in_turn.append(replace(job, start_at=clock + wait, start_by=clock + wait + pacing.LATEST))
        else:
            in_turn.append(job)
    return in_turn
