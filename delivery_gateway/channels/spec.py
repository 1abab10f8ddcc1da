"""What a channel tells the registry about itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings as platform

from delivery_gateway.contract import Channel
from delivery_gateway.egress import Egress
from tenants.providers import RATE_LIMIT
from traffic_control.rate_limit import Pace

if TYPE_CHECKING:
    from tenants.integrations import IntegrationConfig

CHAT_REPEATS = 2  # chat providers cannot recognise a repeat, so doubtful sends are repeated twice, then held


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a tenant's integration."""

    name: str
    help: str
    is_secret: bool = False
    is_required: bool = False


CALLBACK_SECRET = Setting("callback_secret", "Proves what the provider calls back with", is_secret=True)
RATE = Setting(RATE_LIMIT, "How fast it may be written to, such as 10/s or 500/m")  # every channel has it


@dataclass(frozen=True, slots=True)
class Limits:
    """Characters a recipient gets to see, for previews; longer texts are shortened with "…". None: no limit."""

    subject: int | None = None
    body: int | None = None


@dataclass(frozen=True)
class ChannelSpec:
    """`for_tenant` builds the channel from an integration's values and raises ValueError with a helpful sentence;
    `for_platform` builds it from the settings, None when they configure nothing.

    `address_setting` names the integration's value, `platform_address` the platform's setting, that serves when a
    message has no address of its own.

    `pace` holds for one set of credentials, `address_pace` for each address; an integration's own rate replaces both.
    """

    name: str
    lane: str
    validate_address: Callable[[str], str]
    provider: str = ""
    settings: tuple[Setting, ...] = ()
    for_tenant: Callable[[Mapping[str, str], Any, Egress], Channel] | None = None
    for_platform: Callable[[Any, Egress], Channel | None] | None = None
    address_setting: str = ""
    platform_address: str = ""
    limits: Limits = Limits()
    pace: Pace | None = None
    address_pace: Pace | None = None
    max_ambiguous: int | None = None  # None: repeats are harmless, the receiver recognises them

    @property
    def has_provider(self) -> bool:
        return self.for_tenant is not None

    @property
    def secret_settings(self) -> frozenset[str]:
        return frozenset(setting.name for setting in self.settings if setting.is_secret)

    def address_default(self, integration: "IntegrationConfig | None") -> str | None:
        """Where a message without an address goes: the integration's own hook or chat, or the platform's."""
        if integration is not None:
            return integration.values.get(self.address_setting) or None
        return getattr(platform, self.platform_address, "") or None if self.platform_address else None

    def build(self, values: Mapping[str, str], egress: Egress) -> Channel:
        """The channel for an integration's values, all of them checked. Raises ValueError."""
        if self.for_tenant is None:
            raise ValueError(f"The channel {self.name} needs no integration.")
        known = {setting.name for setting in self.settings}
        if unknown := sorted(values.keys() - known):
            raise ValueError(f"{self.name} has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}.")
        if missing := [s.name for s in self.settings if s.is_required and not values.get(s.name)]:
            raise ValueError(f"{self.name} needs the setting {missing[0]!r}.")
        if address := values.get(self.address_setting):
            self.validate_address(address)
        return self.for_tenant(values, platform, egress)
