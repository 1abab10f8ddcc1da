"""Ledger rows as an audit finds them, honest or with one thing wrong."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from delivery_gateway.models import Attempt, DeadLetter, NotificationLog
from traffic_control.ids import uuid7


def message(tenant: Any, status: str = "sent", **changed: Any) -> NotificationLog:
    """One email with nothing beside it."""
    now = timezone.now()
    given = {
        "tenant": tenant,
        "channel": "email",
        "lane": "email",
        "to": "ann@example.com",
        "status": status,
        "created_at": now,
        "routed_at": now,
        "fence": 1,
        "sent_at": now - timedelta(seconds=1) if status == "sent" else None,
        "lease_until": now + timedelta(seconds=30) if status == "sending" else None,
        "due_at": now + timedelta(seconds=30) if status == "scheduled" else None,
        "attempts": 1 if status == "sent" else 0,
    }
    return NotificationLog.objects.create(**given | changed)


def sent(tenant: Any, *outcomes: str, **changed: Any) -> NotificationLog:
    """One email that was sent, after attempts with these outcomes."""
    doubts = sum(outcome in ("ambiguous", "lapsed") for outcome in outcomes)
    counted = 1 + sum(outcome not in ("lapsed", "throttled") for outcome in outcomes)
    row = message(tenant, **{"ambiguous": doubts, "attempts": counted} | changed)
    attempts(row, *outcomes, "sent")
    return row


def attempts(row: NotificationLog, *outcomes: str) -> None:
    for number, outcome in enumerate(outcomes, 1):
        Attempt.objects.create(notification=row, number=number, outcome=outcome, started_at=timezone.now())


def letter(row: NotificationLog, **changed: Any) -> DeadLetter:
    given = {
        "id": uuid7(),
        "tenant_id": row.tenant_id,
        "notification_id": row.id,
        "channel": row.channel,
        "code": "x",
        "reason": "x",
        "created_at": timezone.now(),
    }
    return DeadLetter.objects.create(**given | changed)


def stranger() -> uuid.UUID:
    return uuid7()
