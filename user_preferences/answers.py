"""Rows as tenants see them."""

from typing import Any

from tenants.masking import shown
from tenants.models import ApiKey
from user_preferences import preferences
from user_preferences.models import Customer


def customer(row: Customer, key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "user_id": row.user_id,
        "name": row.name,
        "email": shown(row.email, key),
        "phone": shown(row.phone, key),
        "addresses": {channel: shown(str(address), key) for channel, address in row.addresses.items()},
        "locale": row.locale,
        "timezone": row.timezone,
        "attributes": row.attributes,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def preferences_of(row: Customer) -> dict[str, Any]:
    chosen = preferences.as_json(preferences.choices_of(row))
    return {"user_id": row.user_id} | chosen | {"quiet_hours": row.quiet_hours, "timezone": row.timezone or None}
