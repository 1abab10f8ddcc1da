"""Every channel by name, and the configured way out for each."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

from delivery_gateway.channels import email, slack, teams, telegram, webhook
from delivery_gateway.channels.spec import ChannelSpec
from delivery_gateway.contract import Channel, DeliveryError, Message, Misconfigured
from delivery_gateway.egress import EgressPolicy, door
from traffic_control.ids import uuid7

if TYPE_CHECKING:
    from tenants.integrations import IntegrationConfig

KEPT = 512  # configured channels a process keeps; the one unused longest is closed
IN_APP = ChannelSpec(name="in_app", lane="in_app", validate_address=str.strip)  # delivered inside the database

# Append to it, and move nothing: rows keep the places of channels in it (`traffic_control.decisions`).
CHANNELS: dict[str, ChannelSpec] = {
    spec.name: spec
    for spec in (
        email.SPEC,
        slack.SPEC,
        teams.SPEC,
        telegram.SPEC,
        webhook.SPEC,
        IN_APP,
    )
}
_kept: "OrderedDict[tuple[str, ...], Channel | None]" = OrderedDict()
_lock = threading.Lock()


def channel_spec(name: str) -> ChannelSpec:
    """Raises ValueError that names the closest channel."""
    if spec := CHANNELS.get(name):
        return spec
    close = get_close_matches(name, CHANNELS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(CHANNELS)}."
    raise ValueError(f"There is no channel {name!r}; {hint}")


def get_provider(channel: str, *, integration: "IntegrationConfig | None" = None) -> Channel | None:
    """The way out for a tenant's integration, or the platform's own; None when nothing is configured.

    Kept per integration and version, so that a changed integration takes effect with the next message. Raises
    Misconfigured when the integration's values do not make a provider, ValueError for an unknown channel.
    """
    key = (channel,) if integration is None else (channel, str(integration.id), integration.version)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = _make(channel_spec(channel), integration)
    with _lock:
        made = _kept.setdefault(key, made)
        dropped = _kept.popitem(last=False)[1] if len(_kept) > KEPT else None
    if dropped is not None:
        dropped.close()
    return made


def forget_providers(**_: Any) -> None:
    """Closes and drops every kept provider."""
    with _lock:
        dropped = [provider for provider in _kept.values() if provider is not None]
        _kept.clear()
    for provider in dropped:
        provider.close()


def _make(spec: ChannelSpec, integration: "IntegrationConfig | None") -> Channel | None:
    egress = door(EgressPolicy.from_settings(settings))
    try:
        if integration is not None:
            return spec.build(integration.values, egress)
        return spec.for_platform(settings, egress) if spec.for_platform else None
    except ValueError as error:
        raise Misconfigured(str(error), code="invalid_integration") from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message. `error_class` and `code` are those of DeliveryError, empty when `ok`."""

    ok: bool
    provider_id: str = ""
    error_class: str = ""
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Every provider behind one call that answers instead of raising: for scripts, tests of an integration, the shell.

    The pipeline does not use it: there a message has an id that outlives the attempt.
    """

    integration: "IntegrationConfig | None" = None

    def send(self, to: str, subject: str, body: str, channel: str) -> Outcome:
        """Sends now, past ledger and preferences. Raises ValueError for an unknown channel, nothing else."""
        message = Message(id=uuid7(), channel=channel, address=to, subject=subject, body=body)
        try:
            provider = get_provider(channel, integration=self.integration)
            if provider is None:
                raise Misconfigured(f"Nothing is configured for {channel}.", code="not_configured")
            receipt = provider.send(message)
        except DeliveryError as error:
            return Outcome(False, error_class=error.error_class, code=error.code, detail=error.detail)
        return Outcome(True, provider_id=receipt.provider_id, detail=receipt.detail)


setting_changed.connect(forget_providers, dispatch_uid="delivery_gateway.registry")
