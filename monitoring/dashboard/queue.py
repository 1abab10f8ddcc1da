"""How much waits for a worker, and for how long the first of it: the partial index holds only what waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from monitoring.dashboard.figures import Scope
from monitoring.gauges import MOST


@dataclass(frozen=True, slots=True)
class Waiting:
    """`depth` stops at MOST. `oldest`: seconds; what comes back from a retry is not counted in it."""

    depth: int
    oldest: float

    @property
    def is_capped(self) -> bool:
        return self.depth >= MOST


def waiting(scope: Scope, now: datetime) -> Waiting:
    queued = NotificationLog.objects.filter(status=Status.QUEUED, mode=scope.mode)
    own = queued.filter(tenant_id=scope.tenant_id) if scope.tenant_id else queued
    first, params = own.values("created_at", "routed_at", "reason")[:MOST].query.sql_with_params()
    since = "MIN(CASE WHEN reason = '' THEN COALESCE(routed_at, created_at) END)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*), {since} FROM ({first}) AS first", params)  # noqa: S608 - all of it is ours
        depth, oldest = cursor.fetchone()
    return Waiting(depth, max(0.0, (now - _moment(oldest)).total_seconds()) if oldest else 0.0)


def _moment(value: Any) -> datetime:
    """SQLite forgets the type of what is computed."""
    if isinstance(value, datetime):
        return value
    from django.utils.dateparse import parse_datetime
    from django.utils.timezone import make_aware

    found = parse_datetime(value)
    assert found is not None  # noqa: S101 - it was written by us
    return make_aware(found)
