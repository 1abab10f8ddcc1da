"""Decides on direct sends that wait for the router, a batch at a time."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from delivery_gateway import counters, late_routing, ledger, limits, measures, suppressions
from delivery_gateway.ledger import Verdict
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from notification_processor.defaults import channel_defaults
from traffic_control.crash_points import Point, crash_point
from user_preferences import policy, selectors

log = logging.getLogger(__name__)

BATCH = 500


def route_pending(*, now: datetime) -> bool:
    """Decides on a batch of direct sends that wait for the router; whether there may be more to do at once."""
    with transaction.atomic():
        rows = ledger.pending(BATCH)
        if rows:
            verdicts = _verdicts(rows, now)
            ledger.settle(verdicts, now=now)
            measures.settled(rows, verdicts)
            counters.settled(rows, verdicts)
            crash_point(Point.SENDS_ROUTED)
            log.info("routed direct sends", extra={"stage": "route", "count": len(rows)})
    return len(rows) == BATCH


def _verdicts(rows: Sequence[NotificationLog], now: datetime) -> list[Verdict]:
    choices = selectors.choices_of([row.customer_id for row in rows if row.customer_id])
    defaults = (
        channel_defaults({row.tenant_id for row in rows}) if any(row.user_id or not row.to for row in rows) else {}
    )
    suppressed = suppressions.among((row.tenant_id, row.channel, row.to) for row in rows)
    verdicts, open_rows = [], []
    for row in rows:
        verdict = _refusal(row, choices, defaults, suppressed, now)
        if verdict is None:
            open_rows.append(row)
        else:
            verdicts.append(verdict)
    limited = [row for row in open_rows if row.user_id or row.to]
    waits = limits.waits_for([(row.tenant_id, row.user_id or row.to, row.channel, row.mode) for row in limited])
    later = {row.id: wait for row, wait in zip(limited, waits, strict=True) if wait > 0}
    return verdicts + [late_routing.passed(row, later.get(row.id, 0), now) for row in open_rows]


def _refusal(row: NotificationLog, choices: Any, defaults: Any, suppressed: Any, now: datetime) -> Verdict | None:
    if refused := late_routing.refusal(row, suppressed, now):
        return refused
    if not row.user_id and row.to:
        return None
    default = defaults[row.tenant_id]
    decision = policy.decide(
        choices.get(row.customer_id, policy.NO_CHOICES),
        channel=row.channel,
        category=row.category,
        is_critical=row.is_critical,
        tenant_defaults=default.choices,
        has_address=bool(row.to) or row.channel in default.with_own_address,
    )
    return None if decision.is_allowed else Verdict(row.id, row.lane, Status.SUPPRESSED, decision.rule, decision.detail)
