"""How fast a provider may be written to. A message that must wait has a turn of its own, so it never asks twice.

A wait of up to LONGEST_HERE is spent in the worker, and holds nobody else up. A longer one is spent in the ledger:
the row is scheduled for LONGEST_HERE before its turn and keeps that time when it is queued again. Whoever misses a turn
by more than LATEST takes a new one.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.retry import Step
from delivery_gateway.states import Status
from tenants.integrations import IntegrationConfig
from tenants.providers import RATE_LIMIT
from traffic_control.rate_limit import Pace, opaque, parse_limit, reserve

REASON = "provider_rate_limit"
DETAIL = "The provider takes only so many at a time; this one waits for its turn."
LONGEST_HERE = 2.0  # seconds
LATEST = 1.0

Sending = tuple[NotificationLog, str, IntegrationConfig | None]  # the row, its address, what it is sent through


def waits(sendings: Sequence[Sending], *, now: datetime) -> list[float]:
    """Seconds until each may be sent: its turn if it has one, a new one if it needs one. One round trip for all."""
    found = [_turn_of(row, now) for row, _, _ in sendings]
    wanted = [[] if wait is not None else _paces(*sending) for sending, wait in zip(sendings, found, strict=True)]
    reserved = iter(reserve([pace for paces in wanted for pace in paces]))
    return [
        wait if wait is not None else max((next(reserved) for _ in paces), default=0.0)
        for wait, paces in zip(found, wanted, strict=True)
    ]


def put_off(wait: float, *, now: datetime) -> Step:
    """Back to the ledger until shortly before its turn. No attempt is counted."""
    due_at = now + timedelta(seconds=wait - LONGEST_HERE)
    return Step(Status.SCHEDULED, due_at=due_at, reason=REASON, counts_attempt=False)


def _turn_of(row: NotificationLog, now: datetime) -> float | None:
    """Seconds until the turn this row has come back for; None when it has none, or has missed it."""
    if row.reason != REASON or row.due_at is None:
        return None
    wait = (row.due_at - now).total_seconds() + LONGEST_HERE
    return max(0.0, wait) if wait > -LATEST else None


def _paces(row: NotificationLog, address: str, config: IntegrationConfig | None) -> list[tuple[str, Pace]]:
    """What limits this message: the integration's own limit, or those of its channel."""
    account = f"{row.channel}:{config.id if config else 'platform'}"
    if config is not None and (limit := _limit_of(config.id, config.values.get(RATE_LIMIT, ""))):
        return [(account, limit)]
    spec, paces = CHANNELS[row.channel], []
    if spec.pace is not None:
        paces.append((account, spec.pace))
    if spec.address_pace is not None:
        paces.append((f"{account}:{opaque(address)}", spec.address_pace))
    return paces


@lru_cache(maxsize=1_000)
def _limit_of(integration_id: uuid.UUID, text: str) -> Pace | None:
    limit = parse_limit(text)
    return limit.evenly() if limit else None
