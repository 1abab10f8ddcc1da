"""A test message that goes the way of all messages, through one integration: the ledger, its lane, an attempt, an end.

All other messages go through their tenant's default for the channel, whichever that is when they are sent. A test
message says in its payload which integration it is about; nothing that a tenant sends is taken for one (`is_trial`).
"""

import uuid
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.contract import Misconfigured
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from tenants import integrations
from tenants.integrations import IntegrationConfig
from tenants.models import Integration
from traffic_control import audit
from traffic_control.errors import invalid

SUBJECT = "Traffic Control test message"
BODY = "This integration works."
EVENT_TYPE = "integration.test"
PIN = "integration_id"
LASTS = timedelta(minutes=15)  # nobody waits longer for a test; what is retried until then expires


def open_trial(integration: Integration, *, to: str = "") -> uuid.UUID:
    """The notification's id. Returning means that it is stored, and noted in the audit log.

    Raises Problem when it has nowhere to go. The integration's own address stays with the integration.
    """
    address, now = address_for(integrations.opened(integration), to), timezone.now()
    new = NewNotification(
        tenant_id=integration.tenant_id,
        channel=integration.channel,
        created_at=now,
        expires_at=now + LASTS,
        status=Status.QUEUED,
        event_type=EVENT_TYPE,
        to=address if to else "",
        subject=SUBJECT,
        body=BODY,
        payload={PIN: str(integration.id)},
    )
    with transaction.atomic():
        ledger.open_rows([new])
        told = f"Integration {integration}: test message {new.id}"
        audit.record("integration.tested", tenant_id=integration.tenant_id, object_id=integration.id, summary=told)
    return new.id


def address_for(config: IntegrationConfig, given: str) -> str:
    spec = CHANNELS[config.channel]
    if not given and not spec.address_default(config):
        raise invalid("/to", f"This {config.channel} integration has no address of its own; say where to send.")
    try:
        return spec.validate_address(given or spec.address_default(config) or "")
    except ValueError as exc:
        raise invalid("/to", str(exc), code="invalid_address") from exc


def is_trial(row: NotificationLog) -> bool:
    """What a tenant sends has an event with its type, or neither an event nor a type."""
    return row.event_type == EVENT_TYPE and row.event_id is None


def config_of(row: NotificationLog) -> IntegrationConfig:
    """The integration that a test message is about. Its pause is no obstacle: to prove that it is mended, it is tested.

    Raises Misconfigured when it is gone.
    """
    wanted = str((row.payload or {}).get(PIN, uuid.UUID(int=0)))
    integration = Integration.objects.filter(tenant_id=row.tenant_id, id=wanted, channel=row.channel).first()
    if integration is None:
        raise Misconfigured("The integration that this message was to test is gone.", code="integration_gone")
    return replace(integrations.opened(integration), is_paused=False)
