"""The delivery task: a wake-up for one lane."""

from celery import shared_task

from delivery_gateway import delivery
from traffic_control.wakeup import awake


@shared_task(name="delivery_gateway.send_message", soft_time_limit=30, time_limit=35)
def send_message(lane: str) -> None:
    """Deliver what is queued in the lane. Safe to run at any time, any number of times."""
    awake(f"deliver.{lane}")
    delivery.deliver(lane)
