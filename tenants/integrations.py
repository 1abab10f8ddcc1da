"""Tenants' own credentials for providers: stored sealed, opened for delivery, paused when a provider refuses them."""

import base64
import logging
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from tenants import vault
from tenants.models import Integration, Tenant
from tenants.providers import Provider
from traffic_control import audit
from traffic_control.ids import uuid7

log = logging.getLogger(__name__)

SIGNING_PREFIX = "whsec_"
SHORTEST_HINTED = 12  # characters; four of a shorter secret would give too much away


@dataclass(frozen=True, slots=True)
class IntegrationConfig:
    """One integration, ready for a channel. `values` are texts, secrets opened: never log or store them.

    `version` changes whenever the values do, so that a channel built from them can be kept.
    """

    id: uuid.UUID
    tenant_id: uuid.UUID
    channel: str
    provider: str
    values: dict[str, str] = field(repr=False)
    is_paused: bool
    version: str


def default_integrations(tenant_ids: Collection[uuid.UUID], channel: str) -> dict[uuid.UUID, IntegrationConfig]:
    """By tenant, in one query. A tenant without an entry uses the platform's own configuration."""
    rows = Integration.objects.filter(tenant_id__in=tenant_ids, channel=channel, is_default=True, is_active=True)
    return {row.tenant_id: opened(row) for row in rows}


def opened(row: Integration) -> IntegrationConfig:
    """With its secrets. A row that does not open comes out paused and empty: it must not stop other tenants' mail."""
    values, is_paused = {name: _as_text(value) for name, value in row.config.items()}, row.paused_at is not None
    try:
        values |= vault.unseal(row.sealed, tenant_id=row.tenant_id, integration_id=row.id)
    except vault.Unopenable as exc:
        log.error("integration not usable: %s", exc, extra={"tenant": row.tenant_id, "integration": row.id})
        values, is_paused = {}, True
    return IntegrationConfig(
        id=row.id,
        tenant_id=row.tenant_id,
        channel=row.channel,
        provider=row.provider,
        values=values,
        is_paused=is_paused,
        version=row.updated_at.isoformat(),
    )


def all_defaults(tenant_ids: Collection[uuid.UUID]) -> dict[tuple[uuid.UUID, str], IntegrationConfig]:
    """By tenant and channel, in one query for all channels."""
    rows = Integration.objects.filter(tenant_id__in=tenant_ids, is_default=True, is_active=True)
    return {(row.tenant_id, row.channel): opened(row) for row in rows}


def in_use(tenant_id: uuid.UUID) -> dict[str, Integration]:
    """By channel: what `all_defaults` opens, still closed."""
    rows = Integration.objects.filter(tenant_id=tenant_id, is_default=True, is_active=True)
    return {row.channel: row for row in rows}


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def pause(integration_id: uuid.UUID, reason: str) -> None:
    """Its provider refused the credentials: nothing more goes out through it until somebody mends it."""
    running = Integration.objects.in_scope().filter(pk=integration_id, paused_at=None)
    if running.update(paused_at=timezone.now(), paused_reason=reason[:200]):
        log.warning("integration paused", extra={"integration": integration_id})
        _note("paused", integration_id, actor=audit.SYSTEM)


def resume(integration_id: uuid.UUID) -> None:
    paused = Integration.objects.in_scope().filter(pk=integration_id, paused_at__isnull=False)
    if paused.update(paused_at=None, paused_reason=""):
        _note("resumed", integration_id)


def _note(what: str, integration_id: uuid.UUID, *, actor: audit.Actor | None = None) -> None:
    row = Integration.objects.in_scope().get(pk=integration_id)
    told = f"Integration {row} {what}" + (f": {row.paused_reason}" if row.paused_reason else "")
    audit.record(f"integration.{what}", tenant_id=row.tenant_id, object_id=row.pk, summary=told, actor=actor)


@transaction.atomic
def create(
    tenant: Tenant,
    channel: str,
    *,
    provider: Provider,
    values: Mapping[str, Any],
    name: str = "",
    is_default: bool = True,
) -> Integration:
    row = Integration(
        id=uuid7(), tenant=tenant, channel=channel, provider=provider.name, name=name, is_default=is_default
    )
    put_values(row, provider, values)
    if is_default:
        make_room_for_default(row)
    row.save(force_insert=True)
    return row


@transaction.atomic
def change(
    row: Integration, *, provider: Provider, values: Mapping[str, Any] | None = None, **columns: str | bool
) -> None:
    """Sets what is given, all `values` at once, and resumes the integration: whoever changes it has mended it."""
    for name, value in columns.items():
        setattr(row, name, value)
    if values is not None:
        put_values(row, provider, values)
    row.paused_at, row.paused_reason = None, ""
    if columns.get("is_default"):
        make_room_for_default(row)
    row.save()


def stored_values(row: Integration) -> dict[str, Any]:
    """Everything, secrets opened. When they do not open, what can be read: a change may bring them anew."""
    try:
        return {**row.config, **vault.unseal(row.sealed, tenant_id=row.tenant_id, integration_id=row.id)}
    except vault.Unopenable:
        return {**row.config}


def put_values(row: Integration, provider: Provider, values: Mapping[str, Any]) -> None:
    """Splits checked values into what may be read again and what is sealed. Does not save."""
    secret_names = {field.name for field in provider.fields if field.is_secret}
    hidden = {name: str(value) for name, value in values.items() if name in secret_names}
    row.config = {name: value for name, value in values.items() if name not in secret_names}
    row.sealed = vault.seal(hidden, tenant_id=row.tenant_id, integration_id=row.id) if hidden else ""
    row.secret_hints = {name: hint_of(value) for name, value in hidden.items()}


def make_room_for_default(row: Integration) -> None:
    """A channel has one default. The tenant's row is locked, so that two callers cannot both become it."""
    Tenant.objects.select_for_update().get(pk=row.tenant_id)
    others = Integration.objects.filter(tenant_id=row.tenant_id, channel=row.channel, is_default=True)
    others.exclude(pk=row.pk).update(is_default=False)


def hint_of(secret: str) -> str:
    return f"…{secret[-4:]}" if len(secret) >= SHORTEST_HINTED else "…"


def new_signing_secret() -> str:
    """As Standard Webhooks writes one: `whsec_` and 32 random bytes in base64."""
    return SIGNING_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def paused_among(integration_ids: Collection[uuid.UUID | None]) -> set[uuid.UUID]:
    """Those of these integrations that are still paused (or gone: nobody has mended them)."""
    wanted = {i for i in integration_ids if i is not None}
    mended = Integration.objects.filter(id__in=wanted, paused_at=None, is_active=True).values_list("id", flat=True)
    return wanted - set(mended)
