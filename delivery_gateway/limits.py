"""How often one recipient may be written to on one channel. Too often means later, never lost."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from traffic_control.rate_limit import opaque, parse_limit, reserve_within, waits_within

REASON = "recipient_rate_limit"

Recipient = tuple[uuid.UUID, str, str, str]  # tenant id, user_id or address, channel, mode


def waits_for(recipients: Sequence[Recipient]) -> list[float]:
    """Seconds each has to wait under RECIPIENT_RATE_LIMIT; zeros when there is none. A turn is taken by asking."""
    limit = parse_limit(settings.RECIPIENT_RATE_LIMIT)
    if limit is None:
        return [0.0] * len(recipients)
    return reserve_within([_key(*recipient) for recipient in recipients], limit)


def waits_ahead(recipients: Sequence[Recipient], *, at: datetime) -> list[float]:
    """What `waits_for` would tell different recipients then, as far as it is known now. Takes no turn."""
    limit = parse_limit(settings.RECIPIENT_RATE_LIMIT)
    if limit is None:
        return [0.0] * len(recipients)
    return waits_within([_key(*recipient) for recipient in recipients], limit, now=at.timestamp())


def _key(tenant_id: uuid.UUID, who: str, channel: str, mode: str) -> str:
    return f"recipient:{tenant_id}:{mode}:{channel}:{opaque(who)}"


def due_at(wait: float, now: datetime) -> datetime:
    return now + timedelta(seconds=wait)
