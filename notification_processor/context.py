"""What a template sees: the payload at top level, and `customer`, `tenant`, `event`. JSON values only."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from notification_processor.models import Event
from user_preferences.models import Customer
from user_preferences.pages import links

LINK = "preferences_url"


def context_for(
    *,
    payload: dict[str, Any],
    tenant_name: str,
    customer: Customer | None = None,
    has_link: bool = False,
    event_id: str = "",
    event_type: str = "",
    occurred_at: datetime | None = None,
) -> dict[str, Any]:
    return {
        **payload,
        "customer": about(customer, has_link=has_link),
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


def about(customer: Customer | None, *, has_link: bool = False) -> dict[str, Any]:
    """The link to the preference page is made only for who asks: a signature for each recipient is not free."""
    return {
        "user_id": customer.user_id if customer else "",
        "name": customer.name if customer else "",
        "email": customer.email if customer else "",
        "phone": customer.phone if customer else "",
        "locale": customer.locale if customer else "",
        "timezone": customer.timezone if customer else "",
        "attributes": customer.attributes if customer else {},
        LINK: links.url_for(customer) if customer and has_link else "",
    }


def has_link(text: Iterable[str], mode: str) -> bool:
    """Whether a template's parts name the link. Test keys lie about: their messages show nobody's."""
    return mode == "live" and any(LINK in part for part in text)
