"""The delivery tasks: a wake-up for one lane, and one for what is to be sent again."""

import logging
import threading
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown
from django.conf import settings
from django.db import connections
from django.utils import timezone

from delivery_gateway import aftermath, delivery, journal, replays, runway
from delivery_gateway.harbour import harbour
from traffic_control.wakeup import awake, wake

log = logging.getLogger(__name__)

TASK_SECONDS = 5.0  # a task takes further slices this long before it hands over
LAST_LANDING = 16.0  # seconds: as long as a send may take


@shared_task(name="delivery_gateway.send_message", soft_time_limit=30, time_limit=35)
def send_message(lane: str) -> None:
    """Deliver what is queued in the lane. Safe to run at any time, any number of times."""
    awake(f"deliver.{lane}")
    delivery.deliver(lane)


@shared_task(name="delivery_gateway.replay_letters")
def replay_letters() -> None:
    """Take slices of the replay jobs that are due. Safe to run at any time, any number of times."""
    awake("replay")
    stop_at = time.monotonic() + TASK_SECONDS
    while replays.proceed(now=timezone.now()):
        if time.monotonic() > stop_at:
            wake("replay")
            break


@worker_process_shutdown.connect
def land_the_rest(**_: Any) -> None:
    """A process that is asked to end gives back what it has not begun, and records what it has out."""
    runway.of_process(settings.DELIVERY_CONCURRENCY).close()
    harbour().wait(LAST_LANDING)
    journal.of_process().close()
    _settle()  # what the signal has caught between a claim and its first send


@worker_process_init.connect
def settle_for_the_dead(**_: Any) -> None:
    """A process of the pool may take the place of one that was killed, and sees to what that one held."""
    threading.Thread(target=_settle, name="aftermath", daemon=True).start()


def _settle() -> None:
    try:
        aftermath.settle()
    except Exception as exc:  # the dispatcher, or whoever starts next, will
        log.warning("what killed workers held is not settled (%s)", type(exc).__name__)
    finally:
        connections.close_all()
