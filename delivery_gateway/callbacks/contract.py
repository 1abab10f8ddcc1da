"""A provider's news in our words."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from traffic_control.errors import Problem

WINDOW = 300.0  # seconds that a signed time may be off


class Kind(StrEnum):
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    DEFERRED = "deferred"
    OTHER = "other"  # opened, clicked, queued: nobody's business here


@dataclass(frozen=True, slots=True)
class News:
    """One event of one notification; `notification_id` is None when the provider named none of ours.

    `key` is the same when the event is told again. `is_permanent`: the address is dead, do not write to it again.
    """

    kind: Kind
    notification_id: uuid.UUID | None
    key: str
    is_permanent: bool = False
    code: str = ""
    detail: str = ""
    occurred_at: datetime | None = None


def forged() -> Problem:
    detail = "The signature or the credentials of this callback are missing or wrong."
    return Problem("invalid_signature", detail, status=401)


def stale() -> Problem:
    detail = "The signed time of this callback is too far from now. Sign it anew."
    return Problem("stale_callback", detail, status=401)


def unreadable() -> Problem:
    return Problem("invalid_callback", "This is not what this integration's provider calls back with.")
