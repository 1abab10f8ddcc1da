"""Whether each provider lets us in, without sending anything to anybody."""

from collections.abc import Iterator
from functools import partial

from delivery_gateway.contract import DeliveryError, Provable
from delivery_gateway.registry import CHANNELS, get_provider
from monitoring.doctor.verdict import Check, Verdict, fail, good
from tenants.integrations import IntegrationConfig, opened
from tenants.models import Integration

WHY = "Messages through it are held, or fail and are tried again."
DO = "Mend its values (PATCH /v1/integrations/), or what stands between here and the provider."


def checks() -> list[Check]:
    """The platform's own ways out, then those of every tenant. Reads the database."""
    rows = Integration.objects.filter(is_active=True).select_related("tenant").order_by("tenant__slug", "channel")
    configs = [(f"{row.tenant.slug} {row.channel}", opened(row)) for row in rows]
    ways: list[tuple[str, str, IntegrationConfig | None]] = [("platform " + name, name, None) for name in CHANNELS]
    ways += [(title, config.channel, config) for title, config in configs]
    return [Check(title, partial(proves, title, channel, config), WHY, DO) for title, channel, config in ways]


def proves(title: str, channel: str, config: IntegrationConfig | None) -> Iterator[Verdict]:
    """Nothing where nothing is configured."""
    try:
        found = _proof(get_provider(channel, integration=config), _address(channel, config))
    except DeliveryError as error:
        yield fail(title, f"{error.code}: {error.detail}", WHY, DO)
    else:
        if found or config is not None:
            yield good(title, found or "no address of its own to reach")


def _proof(provider: object, address: str) -> str:
    return provider.prove(address) if isinstance(provider, Provable) else ""


def _address(channel: str, config: IntegrationConfig | None) -> str:
    return CHANNELS[channel].address_default(config) or ""
