"""BACKLOG_LIMIT: how much of one tenant may wait for a worker before the door takes no more of it.

The dispatcher counts now and then, by the indexes of what waits, and tells in Redis who has too much; the door asks
there every few seconds, once for all requests of a process. So a tenant may exceed its limit by what it sends between
two counts. What has a time to wait for (retries, `send_at`) is not counted, nor what is accepted and not yet planned.
Without Redis nobody is refused.
"""

import threading
import time
import uuid
from collections import Counter
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from delivery_gateway.leases import queue_of
from delivery_gateway.ledger import PENDING
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from notification_processor.models import Event
from notification_processor.routing import GENERATED
from tenants.models import Tenant
from traffic_control.errors import Problem
from traffic_control.fair_queue import Queue, depths
from traffic_control.redis_client import Away, ask

COUNT_EVERY = 10.0  # seconds
COUNTING_SHARE = 20  # counting takes at most this part of the time, however long a count takes
ASK_EVERY = 2.0  # seconds
TOLD_FOR = 90  # seconds; should nobody count any more, everybody is let in again
RETRY_AFTER = 30  # seconds
TENANTS = 1_000  # in a queue; more are not looked at
_lock = threading.Lock()
_count_at = 0.0
_known: tuple[float, frozenset[str]] = (float("-inf"), frozenset())


def refuse_if_full(tenant: Tenant) -> None:
    """Raises Problem 429 `backlog_full`."""
    if settings.BACKLOG_LIMIT and str(tenant.id) in _full():
        detail = (
            f"More than {settings.BACKLOG_LIMIT:,} notifications of this tenant wait to be sent. They will be; this "
            f"request was not accepted. Send it again in {RETRY_AFTER} s."
        )
        raise Problem("backlog_full", detail, status=429, headers={"Retry-After": str(RETRY_AFTER)})


def look() -> None:
    """Counts and tells, if it is time for it."""
    global _count_at
    began = time.monotonic()
    if not settings.BACKLOG_LIMIT or not settings.REDIS_URL or began < _count_at:
        return
    full = ",".join(str(tenant) for tenant, number in backlogs().items() if number > settings.BACKLOG_LIMIT)
    _count_at = time.monotonic() + max(COUNT_EVERY, COUNTING_SHARE * (time.monotonic() - began))
    try:
        ask(lambda redis: redis.set(_key(), full, ex=TOLD_FOR))
    except Away:
        return


def backlogs() -> Counter[uuid.UUID]:
    """What waits of each tenant; of more than the limit, only that it is more."""
    rows = NotificationLog.objects.all()
    queues: list[tuple[Queue, QuerySet[Any]]] = [
        (GENERATED, Event.objects.filter(state=Event.State.GENERATED)),
        (PENDING, rows.filter(status=Status.PENDING)),
        *((queue_of(lane), rows.filter(lane=lane, status=Status.QUEUED)) for lane in settings.LANES),
    ]
    found: Counter[uuid.UUID] = Counter()
    for queue, waiting in queues:
        found.update(depths(waiting, queue, tenants=TENANTS, most=settings.BACKLOG_LIMIT + 1))
    return found


def forget() -> None:
    """As at the start of the process."""
    global _count_at, _known
    _count_at, _known = 0.0, (float("-inf"), frozenset())


def _full() -> frozenset[str]:
    """The tenants with too much, as they were known ASK_EVERY seconds ago at most."""
    global _known
    now = time.monotonic()
    with _lock:
        if now - _known[0] <= ASK_EVERY:
            return _known[1]
        _known = (now, _known[1])  # the others go on with what is known
    try:
        told: Any = ask(lambda redis: redis.get(_key()))
    except Away:
        told = None
    _known = (now, frozenset((told or b"").decode().split(",")))
    return _known[1]


def _key() -> str:
    return f"{settings.REDIS_KEY_PREFIX}backlog_full"
