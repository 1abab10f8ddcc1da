from typing import Any

import redis
from celery import Task, shared_task
from django.conf import settings

from bench.plain.delivery import deliver
from bench.plain.models import DeadLetter, Event, MessageTemplate, Notification, NotificationLog, Preference

MAX_RETRIES = 5
counters = redis.Redis.from_url(settings.REDIS_URL)


@shared_task(bind=True, max_retries=MAX_RETRIES)
def send_notification(self: Task[Any, Any], notification_id: str) -> None:
    notification = Notification.objects.select_related("tenant", "template").get(id=notification_id)
    notification.status = "sending"
    notification.attempts += 1
    notification.save()
    try:
        deliver(notification.template, notification.address, notification.variables)
    except Exception as error:
        _failed(self, notification, error)
        return
    notification.status = "sent"
    notification.save()


def _failed(task: Task[Any, Any], notification: Notification, error: Exception) -> None:
    is_last = task.request.retries >= MAX_RETRIES
    notification.status = "failed" if is_last else "retrying"
    notification.error = str(error)
    notification.save()
    if not is_last:
        raise task.retry(exc=error, countdown=2**task.request.retries)
    DeadLetter.objects.create(notification=notification, reason=str(error))


@shared_task
def process_event(tenant_id: int, body: dict[str, Any]) -> None:
    event = Event.objects.create(
        tenant_id=tenant_id, event_type=body["event_type"], user_id=body["user_id"], payload=body["payload"]
    )
    route_notification.delay(str(event.id))


@shared_task
def route_notification(event_id: str) -> None:
    event = Event.objects.get(id=event_id)
    for preference in Preference.objects.filter(tenant_id=event.tenant_id, user_id=event.user_id, wanted=True):
        if _within_rate(event.user_id, preference.channel):
            send_message.delay(event_id, preference.channel, preference.address)


def _within_rate(user_id: str, channel: str) -> bool:
    key = f"sent:{user_id}:{channel}"
    sent = counters.incr(key)
    counters.expire(key, 60)
    return sent <= settings.MESSAGES_PER_MINUTE


@shared_task(bind=True, max_retries=MAX_RETRIES)
def send_message(self: Task[Any, Any], event_id: str, channel: str, address: str) -> None:
    event = Event.objects.get(id=event_id)
    try:
        template = MessageTemplate.objects.get(tenant_id=event.tenant_id, name=event.event_type, channel=channel)
        deliver(template, address, event.payload)
    except Exception as error:
        NotificationLog.objects.create(event=event, channel=channel, address=address, status="failed", error=str(error))
        raise self.retry(exc=error, countdown=2**self.request.retries) from error
    NotificationLog.objects.create(event=event, channel=channel, address=address, status="sent")
