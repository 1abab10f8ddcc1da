"""Digests in the ledger, and what went into them, as rows tell it.

A digest is a row of its own, decided on by the rule `digest`; its payload lists what it stands for. What went into it
ended as `suppressed` with the reason `digested`, and keeps the digest's id where others keep the id that their provider
gave them: that of the message in which they went out.
"""

import uuid
from collections.abc import Collection
from typing import Any, Protocol

from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from traffic_control import decisions

NAME = "quiet_hours_digest"  # its event type, and the name of the template that a tenant may have for it
DIGEST, DIGESTED = "digest", "digested"
Row = NotificationLog | NewNotification


class WithPointer(Protocol):
    """Of a row, what tells which digest it went into."""

    @property
    def reason(self) -> str: ...

    @property
    def provider_message_id(self) -> str: ...


def digest_id(row: WithPointer) -> uuid.UUID | None:
    """Of the digest that it went into; None when it went into none, and when that was cleared."""
    if row.reason != DIGESTED or not row.provider_message_id:
        return None
    return uuid.UUID(row.provider_message_id)


def ends_of(rows: Collection[NotificationLog]) -> dict[uuid.UUID, str]:
    """What each of one tenant's rows has come to; what went into a digest, what that has come to."""
    went = {row.id: found for row in rows if (found := digest_id(row))}
    tenants = {row.tenant_id for row in rows}
    digests = NotificationLog.objects.filter(tenant_id__in=tenants, id__in=set(went.values()))
    statuses: dict[uuid.UUID, str] = dict(digests.values_list("id", "status")) if went else {}
    return {row.id: statuses.get(went[row.id], row.status) if row.id in went else row.status for row in rows}


def is_digest(row: Row) -> bool:
    return decisions.unpacked(row.decision, CHANNELS).rule == DIGEST


def contents(row: Row) -> dict[str, Any] | None:
    """What a digest says of what it stands for; None when it is no digest, or was cleared."""
    return row.payload if row.payload and is_digest(row) else None
