"""What a template sees: the payload at top level, and `customer`, `tenant`, `event`. JSON values only."""

from datetime import datetime
from typing import Any

from notification_processor.models import Event
from user_preferences.models import Customer


def context_for(
    *,
    payload: dict[str, Any],
    tenant_name: str,
    customer: Customer | None = None,
    event_id: str = "",
    event_type: str = "",
    occurred_at: datetime | None = None,
) -> dict[str, Any]:
    return {
        **payload,
        "customer": about(customer),
        "tenant": {"name": tenant_name},
        "event": {
            "id": event_id,
            "type": event_type,
            "occurred_at": occurred_at.isoformat() if occurred_at else "",
            "payload": payload,
        },
    }


def for_event(event: Event, *, tenant_name: str) -> dict[str, Any]:
    """What all customers of an event share: `customer` is still nobody."""
    return context_for(
        payload=event.payload,
        tenant_name=tenant_name,
        event_id=str(event.id),
        event_type=event.event_type,
        occurred_at=event.occurred_at,
    )


def about(customer: Customer | None) -> dict[str, Any]:
    return {
        "user_id": customer.user_id if customer else "",
        "name": customer.name if customer else "",
        "email": customer.email if customer else "",
        "phone": customer.phone if customer else "",
        "locale": customer.locale if customer else "",
        "timezone": customer.timezone if customer else "",
        "attributes": customer.attributes if customer else {},
    }
