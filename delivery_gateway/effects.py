"""What else an outcome writes, in the same transaction: inbox items, sandbox captures, suppressions, pauses."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from delivery_gateway import inbox, ledger, suppressions
from delivery_gateway.contract import DeliveryError, Misconfigured, Receipt, RecipientGone
from delivery_gateway.models import NotificationLog, SandboxMessage, Suppression
from delivery_gateway.sandbox import BOUNCES
from delivery_gateway.trial_messages import is_trial
from tenants import integrations

HOOK_CHANNELS = frozenset({"slack", "teams", "webhook"})  # the address is itself the credential
Result = Receipt | DeliveryError | None


def apply(outcomes: Sequence[tuple[NotificationLog, Result, uuid.UUID | None]], *, now: datetime) -> list[uuid.UUID]:
    """`outcomes` are (row, result, the integration that was used). Gives the rows that bounced at once."""
    delivered = [row for row, result, _ in outcomes if isinstance(result, Receipt)]
    bounced = _capture([row for row in delivered if row.mode == "test"], now)
    inbox.put([row for row in delivered if row.channel == "in_app" and row.mode == "live"], now=now)
    _suppress([(row, r) for row, r, _ in outcomes if isinstance(r, RecipientGone) and row.mode == "live"])
    for row, result, integration_id in outcomes:
        if isinstance(result, Misconfigured) and integration_id and uses_credentials(row):
            integrations.pause(integration_id, str(result)[:200])
        elif isinstance(result, Receipt) and integration_id and is_trial(row):
            integrations.resume(integration_id)
    return bounced


def uses_credentials(row: NotificationLog) -> bool:
    """Whether the integration's own secret is at stake: a customer's dead hook says nothing about the tenant's."""
    return not row.to or row.channel not in HOOK_CHANNELS


def _capture(rows: list[NotificationLog], now: datetime) -> list[uuid.UUID]:
    if not rows:
        return []
    copied = (
        "id",
        "tenant_id",
        "channel",
        "to",
        "subject",
        "body",
        "html",
        "payload",
        "event_id",
        "event_type",
        "user_id",
    )
    SandboxMessage.objects.bulk_create(
        [SandboxMessage(created_at=now, **{name: getattr(row, name) for name in copied}) for row in rows],
        ignore_conflicts=True,
    )
    if bounced := [row.id for row in rows if row.to in BOUNCES]:
        ledger.record_bounces(bounced, reason="bounced")
    return bounced


def _suppress(gone: list[tuple[NotificationLog, RecipientGone]]) -> None:
    Suppression.objects.bulk_create(
        [
            Suppression(
                tenant_id=row.tenant_id,
                channel=row.channel,
                address_hash=suppressions.address_hash(row.tenant_id, row.to),
                reason=error.code[:100],
            )
            for row, error in gone
            if row.to
        ],
        ignore_conflicts=True,
    )
