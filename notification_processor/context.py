"""What a template sees: the payload at top level, and `customer`, `tenant`, `event`. JSON values only."""

from datetime import datetime
from typing import Any

from tenants.models import Tenant
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
        "customer": _customer(customer),
        "tenant": {"name": tenant_name},
        "event": {
            "id": event_id,
            "type": event_type,
            "occurred_at": occurred_at.isoformat() if occurred_at else "",
            "payload": payload,
        },
    }


def _customer(customer: Customer | None) -> dict[str, Any]:
    return {
        "user_id": customer.user_id if customer else "",
        "name": customer.name if customer else "",
        "email": customer.email if customer else "",
        "phone": customer.phone if customer else "",
        "locale": customer.locale if customer else "",
        "timezone": customer.timezone if customer else "",
        "attributes": customer.attributes if customer else {},
    }


def tenant_names(tenant_ids: set[Any]) -> dict[Any, str]:
    return dict(Tenant.objects.filter(id__in=tenant_ids).values_list("id", "name"))
