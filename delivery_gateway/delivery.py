"""Delivers one lane: claim a batch, send it concurrently through the adapters, finish in bulk."""

import logging
import queue
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings
from django.utils import timezone

from delivery_gateway import leases
from delivery_gateway.contract import Ambiguous, Channel, DeliveryError, Message, Misconfigured, Receipt
from delivery_gateway.effects import uses_credentials
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS, get_provider
from delivery_gateway.retry import Step
from delivery_gateway.sandbox import Inbox, Sandbox
from delivery_gateway.states import Status
from tenants.integrations import IntegrationConfig, default_integrations
from traffic_control.wakeup import publish, wake

log = logging.getLogger(__name__)

BATCH = 100
FLUSH_ROWS, FLUSH_SECONDS = 25, 0.1
START_WINDOW = 8.0  # seconds in which a batch's sends must begin; with 15 s a send, a batch ends well inside its lease
TASK_SECONDS = 5.0  # a task takes further batches this long before it hands over


def deliver(lane: str) -> int:
    """Delivers what is queued in the lane; how many rows it claimed. Safe to run at any time, any number of times."""
    began, total = time.monotonic(), 0
    while True:
        rows = leases.claim(lane, limit=BATCH, now=timezone.now())
        total += len(rows)
        is_full = len(rows) == BATCH
        if is_full and total == BATCH and not settings.CELERY_TASK_ALWAYS_EAGER:
            publish(f"deliver.{lane}")  # concurrency grows with the backlog
        if rows:
            _deliver_batch(rows)
            log.info("delivered", extra={"stage": f"deliver.{lane}", "count": len(rows)})
        if not is_full:
            return total
        if time.monotonic() - began > TASK_SECONDS:
            wake(f"deliver.{lane}")
            return total


def _deliver_batch(rows: list[NotificationLog]) -> None:
    ready, settled = _with_providers(rows)
    if settled:
        leases.finish(settled)
    instant = [(row, p, i) for row, p, i in ready if isinstance(p, Inbox)]
    if instant:
        leases.finish([_attempt(*job) for job in instant])
    _send_concurrently([job for job in ready if not isinstance(job[1], Inbox)])


Job = tuple[NotificationLog, Channel, IntegrationConfig | None]


def _with_providers(rows: list[NotificationLog]) -> tuple[list[Job], list[Outcome]]:
    """Rows with the provider that takes them, and outcomes of those that go nowhere now."""
    configs = {
        channel: default_integrations({r.tenant_id for r in rows if r.channel == channel}, channel)
        for channel in {r.channel for r in rows if r.mode == "live" and CHANNELS[r.channel].has_provider}
    }
    ready, settled, now = [], [], timezone.now()
    for row in rows:
        config = configs.get(row.channel, {}).get(row.tenant_id)
        if row.expires_at is not None and row.expires_at <= now:
            settled.append(Outcome(row, None, now, step=Step(Status.EXPIRED, reason="expired")))
        elif config is not None and config.is_paused and uses_credentials(row):
            step, detail = (
                Step(Status.HELD, reason="integration_paused"),
                "The integration is paused; repair it to resume.",
            )
            settled.append(Outcome(row, None, now, step=step, detail=detail, integration_id=config.id))
        else:
            try:
                ready.append((row, _provider(row, config), config))
            except DeliveryError as error:
                settled.append(Outcome(row, error, now))
    return ready, settled


def _provider(row: NotificationLog, config: IntegrationConfig | None) -> Channel:
    if row.mode == "test":
        return Sandbox()
    if not CHANNELS[row.channel].has_provider:
        return Inbox()
    provider = get_provider(row.channel, integration=config)
    if provider is None:
        detail = f"Nothing is configured for {row.channel}: add an integration, or set it up for the platform."
        raise Misconfigured(detail, code="not_configured")
    return provider


def _send_concurrently(jobs: list[Job]) -> None:
    """Sends on the pool and finishes in bulk as results come in. Threads never touch the database."""
    if not jobs:
        return
    results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    start_by = time.monotonic() + START_WINDOW
    pool = _pool(settings.DELIVERY_CONCURRENCY)
    for job in jobs:
        pool.submit(_work, job, start_by, results)
    for batch in _gathered(results, len(jobs)):
        leases.finish(batch)


def _work(job: Job, start_by: float, results: "queue.SimpleQueue[Outcome]") -> None:
    if time.monotonic() > start_by:  # others were slow: give it back, unsent
        give_back = Step(Status.QUEUED, reason="not_started", counts_attempt=False)
        results.put(Outcome(job[0], None, timezone.now(), step=give_back))
    else:
        results.put(_attempt(*job))


def _gathered(results: "queue.SimpleQueue[Outcome]", expected: int) -> Iterable[list[Outcome]]:
    """Batches of results: FLUSH_ROWS at once, or what has come in FLUSH_SECONDS after the first."""
    while expected:
        batch = [results.get()]
        flush_at = time.monotonic() + FLUSH_SECONDS
        while len(batch) < min(FLUSH_ROWS, expected):
            try:
                batch.append(results.get(timeout=max(0.0, flush_at - time.monotonic())))
            except queue.Empty:
                break
        expected -= len(batch)
        yield batch


def _attempt(row: NotificationLog, provider: Channel, config: IntegrationConfig | None) -> Outcome:
    started_at, began = timezone.now(), time.perf_counter()
    result: Receipt | DeliveryError
    try:
        result = provider.send(message_of(row, config))
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
        provider=_provider_name(row, config),
    )


def _provider_name(row: NotificationLog, config: IntegrationConfig | None) -> str:
    if row.mode == "test":
        return "sandbox"
    return config.provider if config else CHANNELS[row.channel].provider


def message_of(row: NotificationLog, config: IntegrationConfig | None = None) -> Message:
    """What the adapter gets. An empty address means the integration's own (its hook, its chat)."""
    address = row.to or (CHANNELS[row.channel].address_default(config) if row.mode == "live" else "")
    return Message(
        id=row.id,
        channel=row.channel,
        address=address or "",
        subject=row.subject,
        body=row.body,
        html=row.html,
        event_type=row.event_type,
        event_id=row.event_id,
        user_id=row.user_id,
        payload=row.payload or {},
        created_at=row.created_at,
        attempt=row.attempts + 1,
    )


@cache
def _pool(size: int) -> ThreadPoolExecutor:
    """One pool per process, made after the fork."""
    return ThreadPoolExecutor(size, thread_name_prefix="deliver")
