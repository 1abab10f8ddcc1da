"""Wake-ups: `wake(stage)` tells workers that a stage has work. The work itself lies in the database.

A lost wake-up costs latency only, because the dispatcher wakes every stage with overdue rows. At most one wake-up
per stage is under way at a time: a flag in Redis is set by whoever publishes and cleared by the task *before* it
claims, so a row committed later always finds the flag free. Callers do not wait for any of this: a thread of its own
asks and publishes, once for all who woke a stage meanwhile. Known limit: without Redis (RabbitMQ alone) each process
holds wake-ups back for a moment on its own.

A broker that is away costs that thread PATIENCE at most, then nobody in the process tries for PAUSE_AFTER_FAILURE.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from kombu.pools import ProducerPool, producers

from traffic_control.bell import Bell
from traffic_control.celery import app
from traffic_control.crash_points import Point, crash_point
from traffic_control.redis_client import Away, ask
from traffic_control.scope import across_tenants

log = logging.getLogger(__name__)

FLAG_SECONDS = 5
# Seconds a publisher waits for a connection, and for an answer: RabbitMQ has more to say and to store.
PATIENCE = 0.2 if settings.BROKER_IS_REDIS else 1.0
PAUSE_AFTER_FAILURE = 2.0  # seconds without publishing after a failure: the dispatcher does it meanwhile
TASKS = {
    "process": ("notification_processor.process_event", "process"),
    "route": ("notification_processor.route_notification", "process"),
    "replay": ("delivery_gateway.replay_letters", "process"),
    "dispatch": ("notification_processor.dispatch", "process"),
    **{f"deliver.{lane}": ("delivery_gateway.send_message", f"deliver.{lane}") for lane in settings.LANES},
}
# A worker waits for its broker as long as it takes; whoever publishes goes on without.
PUBLISHER: dict[str, Any] = {"max_retries": 0, "connect_retries_timeout": PATIENCE} | (
    {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "retry_on_timeout": False}
    if settings.BROKER_IS_REDIS
    else {"read_timeout": PATIENCE, "write_timeout": PATIENCE}
)
_paused_until = 0.0
_local_flags: dict[str, float] = {}
_inline = threading.local()


def wake(stage: str) -> None:
    """After the commit under way: publish one task for `stage` unless one is already on its way. Never raises."""
    run = _run_inline if settings.CELERY_TASK_ALWAYS_EAGER else _bell.ask
    transaction.on_commit(lambda: run(stage), robust=True)


def awake(stage: str) -> None:
    """A task calls this first: from here on, new work may wake the stage again."""
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return
    with suppress(Away):  # the flag goes out by itself
        ask(lambda redis: redis.delete(_flag(stage)))
    crash_point(Point.TASK_TAKEN)


def publish(stage: str) -> None:
    """Publishes without asking the flag, for a full batch that wants a second worker. Never raises."""
    global _paused_until
    if time.monotonic() < _paused_until:
        return
    try:
        _send(stage)
    except Exception as exc:  # any broker error: the rows are committed, the dispatcher finds them
        _paused_until = time.monotonic() + PAUSE_AFTER_FAILURE
        told = {"stage": stage}
        log.warning("wake-up not published (%s); the dispatcher will find the work", type(exc).__name__, extra=told)


def _publish_unless_under_way(stage: str) -> None:
    if _flag_is_free(stage):
        crash_point(Point.FLAG_SET)
        publish(stage)


def _send(stage: str) -> None:
    """A kept connection may have died unnoticed, so a failure that came quickly is tried once more."""
    began = time.monotonic()
    try:
        _send_once(stage)
    except Exception:
        if time.monotonic() - began > PATIENCE / 2:
            raise
        _send_once(stage)


def _send_once(stage: str) -> None:
    name, queue = TASKS[stage]
    lane = stage.partition(".")[2]
    with _producers(os.getpid()).acquire(block=True, timeout=PATIENCE) as producer:
        app.send_task(
            name, args=[lane] if lane else [], queue=queue, producer=producer, retry=False, ignore_result=True
        )


@cache
def _producers(pid: int) -> ProducerPool:
    """Connections of our own to publish through, impatient ones; a forked child opens its own."""
    impatient: Any = app.connection_for_write(transport_options=PUBLISHER, connect_timeout=PATIENCE)
    pool: ProducerPool = producers[impatient]
    return pool


def _flag(stage: str) -> str:
    return f"{settings.REDIS_KEY_PREFIX}wake:{stage}"


def _flag_is_free(stage: str) -> bool:
    """Whether this caller is the one to publish. While Redis is away, nobody is: it is the broker, too."""
    try:
        return bool(ask(lambda redis: redis.set(_flag(stage), 1, nx=True, ex=FLAG_SECONDS)))
    except Away:
        return not settings.BROKER_IS_REDIS and _local_flag_is_free(stage)


def _local_flag_is_free(stage: str) -> bool:
    now = time.monotonic()
    if _local_flags.get(stage, 0) > now:
        return False
    _local_flags[stage] = now + 0.05
    return True


def _run_inline(stage: str) -> None:
    """Eager mode: run the stage to its end, here. A stage woken meanwhile waits its turn instead of nesting."""
    queue: deque[str] | None = getattr(_inline, "queue", None)
    if queue is not None:
        if stage not in queue:
            queue.append(stage)
        return
    _inline.queue = queue = deque([stage])
    try:
        while queue:
            current = queue.popleft()
            name, _ = TASKS[current]
            lane = current.partition(".")[2]
            if name not in app.tasks:  # only workers import every task by themselves
                app.loader.import_default_modules()
            with across_tenants():
                app.tasks[name].apply(args=(lane,) if lane else (), throw=True)
    finally:
        del _inline.queue


_bell = Bell(_publish_unless_under_way)


class EagerDispatchMiddleware:
    """Eager mode may have no dispatcher: what has come due meanwhile is promoted at each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.CELERY_TASK_ALWAYS_EAGER and request.path_info.startswith(("/api/", "/v1/")):
            wake("dispatch")
        return self.get_response(request)
