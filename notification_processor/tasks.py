"""The generator's and the router's tasks: wake-ups. Each may run at any time, any number of times."""

import time

from celery import shared_task
from django.utils import timezone

from notification_processor import backlog, direct_routing, dispatching, generation, releasing, routing
from notification_processor.backlog import Routable
from traffic_control.wakeup import awake, wake

TASK_SECONDS = 5.0  # a task takes further batches this long before it hands over


@shared_task(name="notification_processor.process_event")
def process_event() -> None:
    """The generator: plan accepted events. It routes them, too, unless there are so many that others can help."""
    awake("process")
    stop_at = time.monotonic() + TASK_SECONDS
    while (done := generation.generate(now=timezone.now())) == generation.BATCH:
        wake("route")
        if time.monotonic() > stop_at:
            wake("process")
            break
    if done:
        _route(stop_at, Routable(events=True, sends=False, held=False))


@shared_task(name="notification_processor.route_notification")
def route_notification() -> None:
    """The router: decide on planned events, direct sends and what quiet hours held; open or settle their rows."""
    awake("route")
    _route(time.monotonic() + TASK_SECONDS, backlog.routable(timezone.now()))


def _route(stop_at: float, waiting: Routable) -> None:
    events_wait, sends_wait, held_wait = waiting.events, waiting.sends, waiting.held
    while events_wait or sends_wait or held_wait:
        events_wait = events_wait and routing.route(now=timezone.now())
        sends_wait = sends_wait and direct_routing.route_pending(now=timezone.now())
        held_wait = held_wait and releasing.release(now=timezone.now())
        if (events_wait or sends_wait or held_wait) and time.monotonic() > stop_at:
            wake("route")
            break


@shared_task(name="notification_processor.dispatch")
def dispatch() -> None:
    """One round of the dispatcher, for installs that run none (eager mode)."""
    awake("dispatch")
    dispatching.tick()
