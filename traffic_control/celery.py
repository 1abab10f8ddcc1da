"""The Celery application. Tasks are wake-ups: the work itself lies in the database."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, heartbeat_sent, task_prerun, task_unknown, worker_process_shutdown
from django.conf import settings
from django.db import close_old_connections
from kombu.transport.redis import Channel

from traffic_control.heartbeat import worker_beats
from traffic_control.metrics import METER, UNKNOWN_TASKS, count

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")

app = Celery("traffic_control")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A worker that loses Redis with a message in hand would give it back through the connection that it has just taken
# apart, and end (kombu 5.7: 'NoneType' object has no attribute 'hostname'). A lost wake-up is repeated anyway.
Channel.do_restore = False


def _unless_closed(answer: Callable[..., None]) -> Callable[..., None]:
    """A task that ends after its connection was closed has nobody to tell. kombu 5.7 tries all the same, and the worker
    ends ('NoneType' object has no attribute 'client')."""

    @wraps(answer)
    def answered(channel: Any, *given: Any, **named: Any) -> None:
        if channel.connection is not None:
            answer(channel, *given, **named)

    return answered


Channel.basic_ack = _unless_closed(Channel.basic_ack)  # type: ignore[method-assign]
Channel.basic_reject = _unless_closed(Channel.basic_reject)  # type: ignore[method-assign]

heartbeat_sent.connect(worker_beats)


@task_prerun.connect
def drop_dead_connections(**_: Any) -> None:
    """With CELERY_DB_REUSE_MAX Celery never looks: after a restart of PostgreSQL every task of a process would fail."""
    if not settings.CELERY_TASK_ALWAYS_EAGER:  # then it is the request's connection, and the request has looked
        close_old_connections()


@task_unknown.connect
def count_unknown(**_: Any) -> None:
    """Beside another version: Celery has rejected it, and what it was to wake is woken again by the dispatcher."""
    count(UNKNOWN_TASKS)


@celeryd_init.connect
def set_watchdog(**_: Any) -> None:
    """In workers only."""
    from traffic_control import watchdog

    watchdog.set_up()


@worker_process_shutdown.connect
def write_last_counts(**_: Any) -> None:
    METER.write_last()  # such a process ends without its atexit functions
