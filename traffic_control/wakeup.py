"""Wake-ups: `wake(stage)` tells workers that a stage has work. The work itself lies in the database.

A lost wake-up costs latency only, because the dispatcher wakes every stage with overdue rows. At most one wake-up
per stage is under way at a time: a flag in Redis is set by whoever publishes and cleared by the task *before* it
claims, so a row committed later always finds the flag free. Known limit: without Redis (RabbitMQ alone) each
process holds wake-ups back for FLAG_SECONDS on its own.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

from traffic_control.redis_client import redis_client

log = logging.getLogger(__name__)

FLAG_SECONDS = 5
PAUSE_AFTER_FAILURE = 2.0  # seconds without publishing after a failure: the dispatcher does it meanwhile
TASKS = {
    "process": ("notification_processor.process_event", "process"),
    "route": ("notification_processor.route_notification", "process"),
    "dispatch": ("notification_processor.dispatch", "process"),
    **{f"deliver.{lane}": ("delivery_gateway.send_message", f"deliver.{lane}") for lane in settings.LANES},
}
_paused_until = 0.0
_inline = threading.local()


def wake(stage: str) -> None:
    """After the commit under way: publish one task for `stage` unless one is already on its way. Never raises."""
    run = _run_inline if settings.CELERY_TASK_ALWAYS_EAGER else _publish
    transaction.on_commit(lambda: run(stage), robust=True)


def awake(stage: str) -> None:
    """A task calls this first: from here on, new work may wake the stage again."""
    if settings.CELERY_TASK_ALWAYS_EAGER or (client := redis_client()) is None:
        return
    try:
        client.delete(_flag(stage))
    except RedisError:
        log.warning("redis is away; wake-up flag not cleared", extra={"stage": stage})


def publish(stage: str) -> None:
    """Publish without asking the flag: the dispatcher's backstop, and a full batch that wants a second worker."""
    name, queue = TASKS[stage]
    lane = stage.partition(".")[2]
    current_app.send_task(name, args=[lane] if lane else [], queue=queue, retry=False, ignore_result=True)


def _publish(stage: str) -> None:
    global _paused_until
    if time.monotonic() < _paused_until:
        return
    try:
        if _flag_is_free(stage):
            publish(stage)
    except Exception as exc:  # any broker error: the row is committed, the dispatcher finds it
        _paused_until = time.monotonic() + PAUSE_AFTER_FAILURE
        log.warning(
            "wake-up not published (%s); the dispatcher will find the work", type(exc).__name__, extra={"stage": stage}
        )


def _flag(stage: str) -> str:
    return f"{settings.REDIS_KEY_PREFIX}wake:{stage}"


_local_flags: dict[str, float] = {}


def _flag_is_free(stage: str) -> bool:
    if (client := redis_client()) is not None:
        return bool(client.set(_flag(stage), 1, nx=True, ex=FLAG_SECONDS))
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
            if name not in current_app.tasks:  # only workers import every task by themselves
                current_app.loader.import_default_modules()
            current_app.tasks[name].apply(args=(lane,) if lane else (), throw=True)
    finally:
        del _inline.queue


class EagerDispatchMiddleware:
    """Eager mode may have no dispatcher: what has come due meanwhile is promoted at each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.CELERY_TASK_ALWAYS_EAGER and request.path_info.startswith(("/api/", "/v1/")):
            wake("dispatch")
        return self.get_response(request)
