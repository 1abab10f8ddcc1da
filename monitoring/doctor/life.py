"""Who is at work, and what has waited too long."""

from collections.abc import Iterator

from django.conf import settings

from monitoring import gauges
from monitoring.checks import OVERDUE
from monitoring.doctor.verdict import Check, Verdict, fail, good, warn
from tenants.models import Integration
from traffic_control import heartbeat
from traffic_control.heartbeat import ALIVE, DISPATCHER

LATE = 30.0  # seconds; an install that is well delivers within a few


def workers() -> Iterator[Verdict]:
    """Without Redis, RabbitMQ is asked who consumes: see `brokers.rabbitmq`."""
    if settings.CELERY_TASK_ALWAYS_EAGER or not settings.REDIS_URL:
        return
    alive = [beat for beat in heartbeat.beats() if beat.is_alive and beat.role != DISPATCHER]
    attended = {beat.role for beat in alive}
    if missing := [queue for queue in settings.QUEUES if queue not in attended]:
        found = f"nobody heard of for {ALIVE:.0f} s takes from {', '.join(missing)}"
        why = "Messages wait there; nothing is lost."
        yield fail("workers", found, why, "Start a worker with these queues (WORKER_QUEUES), or read its log.")
    else:
        yield good("workers", f"{len({beat.who for beat in alive})} alive, every queue is attended")


def dispatchers() -> Iterator[Verdict]:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return
    if not settings.REDIS_URL:
        found = "nobody knows: there is no Redis to keep heartbeats in"
        yield warn("dispatcher", found, "One that is gone shows only as overdue work.", "Set REDIS_URL to be told.")
        return
    alive = [beat for beat in heartbeat.beats() if beat.is_alive and beat.role == DISPATCHER]
    if alive:
        yield good("dispatcher", f"{len(alive)} alive")
    else:
        why = "Retries and schedules do not come due, and lost wake-ups are not repeated."
        yield fail("dispatcher", f"none heard of for {ALIVE:.0f} s", why, "Start one: manage.py dispatcher.")


def overdue() -> Iterator[Verdict]:
    what, seconds = gauges.read().latest
    found = f"the oldest work ({what}) has waited for {seconds:.0f} s"
    why = "Recipients wait for it. Nothing is lost."
    do = "Start more workers for this queue, or look at what holds those there are."
    if what in ("scheduled", "lapsed"):
        do = "Only a dispatcher moves these: read its log, or start another one."
    if seconds > OVERDUE:
        yield fail("overdue", found, why, do)
    elif seconds > LATE:
        yield warn("overdue", found, why, do)
    else:
        yield good("overdue", found if seconds else "nothing waits")


def paused() -> Iterator[Verdict]:
    """Told apart from those that fail now: a provider has already refused these, and their messages are held."""
    rows = Integration.objects.filter(is_active=True, paused_at__isnull=False).select_related("tenant")
    told = [f"{row.tenant.slug} {row.channel} ({row.paused_reason})" for row in rows[:6]]
    if told:
        shown = "; ".join(told[:5]) + ("; and more" if len(told) > 5 else "")
        why = "Their provider refused the credentials; their messages are held until somebody mends them."
        yield warn("paused", shown, why, "Change the integration, or test it: either resumes it.")
    else:
        yield good("paused", "no integration is paused")


_UNHEARD = "Heartbeats are kept in Redis, so nobody knows who is alive."
CHECKS = (
    Check("workers", workers, _UNHEARD, "Mend the check “redis” first."),
    Check("dispatcher", dispatchers, _UNHEARD, "Mend the check “redis” first."),
    Check("overdue", overdue, "It needs the database's answer.", "Mend the checks “database” and “migrations” first."),
    Check("paused", paused, "It needs the database's answer.", "Mend the checks “database” and “migrations” first."),
)
