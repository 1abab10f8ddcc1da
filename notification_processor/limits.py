"""How often one recipient may be written to on one channel. Too often means later, never lost."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from traffic_control.rate_limit import parse_limit, reserve

Recipient = tuple[uuid.UUID, str, str, str]  # tenant id, user_id, channel, mode


def waits_for(recipients: Sequence[Recipient]) -> list[float]:
    """Seconds each has to wait under RECIPIENT_RATE_LIMIT; zeros when there is none."""
    limit = parse_limit(settings.RECIPIENT_RATE_LIMIT)
    if limit is None:
        return [0.0] * len(recipients)
    return reserve([f"recipient:{tenant}:{mode}:{channel}:{user}" for tenant, user, channel, mode in recipients], limit)


def due_at(wait: float, now: datetime) -> datetime:
    return now + timedelta(seconds=wait)
