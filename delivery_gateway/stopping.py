"""Ends that a notification comes to before anybody sends it: its time runs out, or its tenant thinks better of it."""

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from delivery_gateway import counters
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import WAITING, IllegalTransition, Status, sources_of
from traffic_control import audit
from traffic_control.crash_points import Point, crash_point

CHUNK = 1_000


def expire(*, now: datetime) -> int:
    """Rows that nobody has begun to send by `expires_at`."""
    expired = 0
    while (count := _expire(now)) == CHUNK:
        expired += count
    return expired + count


def _expire(now: datetime) -> int:
    with transaction.atomic():
        waiting = NotificationLog.objects.select_for_update(skip_locked=True).filter(status__in=WAITING)
        late = waiting.filter(expires_at__isnull=False, expires_at__lte=now).order_by("expires_at")
        rows = list(late.only("id", "tenant_id", "channel", "mode", "routed_at")[:CHUNK])
        if rows:
            expired = NotificationLog.objects.filter(id__in=[row.id for row in rows])
            expired.update(status=Status.EXPIRED, reason="expired", due_at=None)
            counters.stopped(rows, Status.EXPIRED)
            crash_point(Point.LATE_EXPIRED)
    return len(rows)


def cancel(rows: QuerySet[NotificationLog], notification_id: uuid.UUID) -> None:
    """Raises IllegalTransition when the row has gone too far; the caller has checked that it exists."""
    with transaction.atomic():
        row = rows.select_for_update().filter(id=notification_id).get()
        if row.status not in sources_of(Status.CANCELLED):
            detail = f'It is "{row.status}" already; only what is not yet being sent can be cancelled.'
            raise IllegalTransition(detail)
        rows.filter(id=row.id).update(status=Status.CANCELLED, reason="cancelled", due_at=None)
        told = f"Notification on {row.channel} cancelled"  # before anything is counted, as everywhere: no dead-locks
        audit.record("notification.cancelled", tenant_id=row.tenant_id, object_id=row.id, summary=told)
        counters.stopped([row], Status.CANCELLED)
