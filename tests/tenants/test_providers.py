"""The table of providers and the channels that use it say the same."""

from typing import Any

import pytest

from delivery_gateway.registry import CHANNELS, get_provider
from tenants import integrations, providers
from tenants.models import Integration

HOOK = "https://hooks.example.com/services/T000/B000/XXXXabcd"
SECRET = integrations.new_signing_secret()
FULL: dict[str, dict[str, Any]] = {
    "email": {
        "host": "mx.acme.test",
        "port": 587,
        "username": "acme",
        "password": "correct horse",
        "use_tls": True,
        "use_ssl": False,
        "from_email": "Acme <hello@acme.test>",
        "rate_limit": "10/s",
        "callbacks": "postmark",
        "callback_secret": "postmark:correct horse battery",
    },
    "slack": {"url": HOOK, "rate_limit": "1/s", "callback_secret": SECRET},
    "teams": {"url": HOOK, "rate_limit": "4/s", "callback_secret": SECRET},
    "telegram": {
        "bot_token": "123456:ABC-DEF_ghi",
        "chat_id": -1001234567890,
        "rate_limit": "30/s",
        "callback_secret": SECRET,
    },
    "webhook": {
        "url": "https://example.com/in",
        "secret": integrations.new_signing_secret(),
        "previous_secret": integrations.new_signing_secret(),
        "headers": "Authorization: Bearer abc\nX-Shard: 7",
        "rate_limit": "500/m",
        "callback_secret": SECRET,
    },
}


def test_channels_are_those_of_the_gateway():
    assert set(providers.CHANNELS) == set(CHANNELS)
    assert set(providers.PROVIDERS) == {name for name, channel in CHANNELS.items() if channel.has_provider}


@pytest.mark.parametrize("channel", providers.PROVIDERS)
def test_fields_are_those_of_the_channel(channel):
    provider = providers.provider_of(channel)
    spec = CHANNELS[channel]

    assert provider is not None
    assert provider.name == spec.provider
    assert (
        {field.name for field in provider.fields} == {setting.name for setting in spec.settings} == set(FULL[channel])
    )
    assert {field.name for field in provider.fields if field.is_secret} == spec.secret_settings


@pytest.mark.parametrize("channel", FULL)
def test_what_the_api_takes_makes_a_provider(api, channel):
    answer = api.post("/v1/integrations/", {"channel": channel, "config": FULL[channel]})

    assert answer.status_code == 201
    row = Integration.objects.get(pk=answer.json()["id"])
    made = get_provider(channel, integration=integrations.opened(row))
    assert made is not None
    made.close()
