"""The delivery task: a wake-up for one lane."""

from typing import Any

from celery import shared_task
from celery.signals import worker_process_shutdown

from delivery_gateway import delivery
from delivery_gateway.harbour import harbour
from traffic_control.wakeup import awake

LAST_LANDING = 16.0  # seconds: as long as a send may take


@shared_task(name="delivery_gateway.send_message", soft_time_limit=30, time_limit=35)
def send_message(lane: str) -> None:
    """Deliver what is queued in the lane. Safe to run at any time, any number of times."""
    awake(f"deliver.{lane}")
    delivery.deliver(lane)


@worker_process_shutdown.connect
def land_the_rest(**_: Any) -> None:
    """A process that is asked to end records what it has out."""
    harbour().wait(LAST_LANDING)
