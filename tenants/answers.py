"""Rows as tenants see them. No secret among them: those are added where they are shown once."""

from typing import Any

from django.conf import settings

from tenants import callback_urls
from tenants.masking import shown
from tenants.models import ApiKey, InboxSecret, Integration, Tenant
from tenants.retention import days_of
from tenants.usage import usage_of

BATCH_ITEMS = 1_000


def tenant(row: Tenant) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "slug": row.slug,
        "is_active": row.is_active,
        "created_at": row.created_at,
    }


def me(row: Tenant, key: ApiKey) -> dict[str, Any]:
    return tenant(row) | {
        "email": shown(row.email, key),
        "channel_defaults": row.channel_defaults,
        "default_locale": row.default_locale or None,
        "timezone": row.timezone or None,
        "content_days": days_of(row.content_days) or None,
        "inbox_origins": row.inbox_origins or [],
        "api_key": {"id": str(key.id), "name": key.name, "mode": key.mode, "scopes": key.scopes},
        "limits": {
            "api_rate": settings.API_RATE_LIMIT or None,
            "recipient_rate": settings.RECIPIENT_RATE_LIMIT or None,
            "body_bytes": settings.MAX_BODY_BYTES,
            "batch_body_bytes": settings.MAX_BATCH_BODY_BYTES,
            "batch_items": BATCH_ITEMS,
        },
        "usage": usage_of(row),
    }


def api_key(row: ApiKey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "mode": row.mode,
        "prefix": f"sk_{row.mode}_{row.public_id}",
        "last_four": row.last_four,
        "scopes": row.scopes,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
        "created_at": row.created_at,
    }


def integration(row: Integration) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "channel": row.channel,
        "provider": row.provider,
        "name": row.name,
        "config": row.config,
        "secrets": row.secret_hints,
        "callback_url": callback_urls.url_for(row),
        "is_default": row.is_default,
        "is_active": row.is_active,
        "paused_at": row.paused_at,
        "paused_reason": row.paused_reason or None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def inbox_secret(row: InboxSecret) -> dict[str, Any]:
    return {"kid": row.kid, "last_four": row.last_four, "created_at": row.created_at}
