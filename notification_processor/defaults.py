"""What a tenant brings along: its name and language, channels on by default, hooks for customers without their own."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from delivery_gateway.registry import CHANNELS
from tenants.integrations import all_defaults
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class ChannelDefaults:
    """`choices`: the tenant's channel → on or off. `with_own_address`: channels that need none from the customer."""

    choices: Mapping[str, bool]
    tenant_name: str
    locale: str
    timezone: str
    with_own_address: frozenset[str]


def channel_defaults(tenant_ids: set[uuid.UUID]) -> dict[uuid.UUID, ChannelDefaults]:
    """Two queries, whatever the number of tenants."""
    integrations = all_defaults(tenant_ids)
    rows = Tenant.objects.filter(id__in=tenant_ids).values_list(
        "id", "channel_defaults", "name", "default_locale", "timezone"
    )
    tenants = {row[0]: row[1:] for row in rows}
    return {
        tenant_id: ChannelDefaults(
            *tenants.get(tenant_id, ({}, "", "", "")),
            with_own_address=frozenset(
                channel
                for channel, spec in CHANNELS.items()
                if spec.address_default(integrations.get((tenant_id, channel)))
            ),
        )
        for tenant_id in tenant_ids
    }
