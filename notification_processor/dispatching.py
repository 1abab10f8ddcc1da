"""The dispatcher's round: promotes what has come due, frees what was dropped, wakes whoever has work waiting.

Any number may run: each step locks what it touches and skips what another has locked.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from delivery_gateway import aftermath, leases, ledger, minutes, partitions, stopping
from notification_processor import backlog, deduplication, full_backlogs, retention
from tenants import idempotency
from traffic_control.crash_points import Point, crash_point
from traffic_control.wakeup import wake
from user_preferences import erasure

log = logging.getLogger(__name__)

CHUNK = 1_000
SPARE_SECONDS = 0.2  # of a round, for what is not urgent
HOUSEKEEPING_EVERY = timedelta(minutes=10)
_housekept_at: datetime | None = None


def tick(*, now: datetime | None = None) -> None:
    """One round. A few indexed queries when there is nothing to do."""
    now = now or timezone.now()
    while ledger.promote_due(now=now, limit=CHUNK) == CHUNK:
        pass
    crash_point(Point.DUE_DONE)
    aftermath.settle()
    while leases.release_lapsed(now=now, limit=CHUNK) == CHUNK:
        pass
    stopping.expire(now=now)
    ledger.release_held()
    wake_waiting(now)
    full_backlogs.look()
    _housekeep(now)
    erasure.proceed(seconds=SPARE_SECONDS)
    retention.SWEEPER.spend(SPARE_SECONDS)


def wake_waiting(now: datetime) -> None:
    """The backstop for lost wake-ups: every stage that has work hears of it again."""
    for stage in backlog.stages(now):
        wake(stage)


def _housekeep(now: datetime) -> None:
    global _housekept_at
    if _housekept_at is not None and now - _housekept_at < HOUSEKEEPING_EVERY:
        return
    _housekept_at = now
    purged = idempotency.purge(before=now - timedelta(hours=settings.IDEMPOTENCY_HOURS))
    if purged:
        log.info("purged idempotency records", extra={"count": purged})
    deduplication.purge(before=now - timedelta(hours=1))
    partitions.keep_ahead(now=now)
    minutes.age(now)
    retention.SWEEPER.start(now)
