"""The registry: what channels there are, how they are configured, and one call for all of them."""

import uuid
from typing import Any

import pytest

from delivery_gateway import registry
from delivery_gateway.channels.email import Email
from delivery_gateway.channels.slack import Slack
from delivery_gateway.channels.telegram import Telegram
from delivery_gateway.channels.webhook import Webhook
from delivery_gateway.contract import Misconfigured
from delivery_gateway.registry import CHANNELS, Outcome, Sender, channel_spec, get_provider
from tenants.integrations import IntegrationConfig
from tenants.providers import PROVIDERS
from tests.peers.slack import SlackPeer
from tests.peers.smtp import SmtpPeer
from tests.peers.telegram import TelegramPeer
from tests.peers.webhook import SECRET, WebhookPeer

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture(autouse=True)
def _permitted(settings: Any) -> None:
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = LOOPBACK, True


def integration(channel: str, version: str = "1", **values: str) -> IntegrationConfig:
    return IntegrationConfig(
        id=uuid.UUID(int=1),
        tenant_id=uuid.UUID(int=2),
        channel=channel,
        provider=CHANNELS[channel].provider,
        values=values,
        is_paused=False,
        version=version,
    )


def test_every_channel_says_what_the_pipeline_needs() -> None:
    facts = {name: (spec.lane, spec.provider, spec.has_provider, spec.max_ambiguous) for name, spec in CHANNELS.items()}

    assert facts == {
        "email": ("email", "smtp", True, None),
        "slack": ("chat", "webhook", True, 2),
        "teams": ("chat", "workflows", True, 2),
        "telegram": ("chat", "bot", True, 2),
        "webhook": ("webhook", "standard_webhooks", True, None),
        "in_app": ("in_app", "", False, None),
    }


@pytest.mark.parametrize("channel", PROVIDERS)
def test_channels_take_every_field_that_tenants_may_store(channel: str) -> None:
    spec, (provider,) = CHANNELS[channel], PROVIDERS[channel]

    stored = {field.name: field.is_secret for field in provider.fields}
    taken = {setting.name: setting.is_secret for setting in spec.settings}
    required = {setting.name for setting in spec.settings if setting.is_required}
    assert provider.name == spec.provider
    assert stored.items() <= taken.items()
    assert required <= stored.keys()


def test_an_unknown_channel_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no channel 'emial'; did you mean email\?"):
        channel_spec("emial")
    with pytest.raises(ValueError, match="there are email, slack, teams, telegram, webhook, in_app"):
        get_provider("pigeon")


def test_the_platform_serves_what_its_settings_configure(settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    kinds = {name: type(get_provider(name)) for name in ("email", "slack", "telegram", "webhook", "in_app")}
    assert kinds == {
        "email": Email,
        "slack": Slack,
        "telegram": type(None),
        "webhook": type(None),
        "in_app": type(None),
    }

    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BASE_URL = "1:a", "https://bots.example"
    provider = get_provider("telegram")
    assert isinstance(provider, Telegram)
    assert provider.base_url == "https://bots.example"


def test_a_provider_is_kept_until_its_integration_changes() -> None:
    first = get_provider("webhook", integration=integration("webhook", secret=SECRET))
    again = get_provider("webhook", integration=integration("webhook", secret=SECRET))
    changed = get_provider("webhook", integration=integration("webhook", version="2", secret=SECRET))

    assert isinstance(first, Webhook)
    assert first is again
    assert first is not changed


def test_kept_providers_are_bounded_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    monkeypatch.setattr(registry, "KEPT", 2)
    monkeypatch.setattr(Webhook, "close", lambda self: closed.append(id(self)))
    registry.forget_providers()

    made = [get_provider("webhook", integration=integration("webhook", version=v, secret=SECRET)) for v in "1234"]

    assert closed == [id(provider) for provider in made[:2]]
    assert len(registry._kept) == 2


def test_an_integration_that_makes_no_provider_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="webhook needs the setting 'secret'") as caught:
        get_provider("webhook", integration=integration("webhook"))

    assert caught.value.code == "invalid_integration"


@pytest.mark.parametrize(
    ("channel", "values", "expected"),
    [
        ("slack", {"url": "https://hook.example/x"}, "https://hook.example/x"),
        ("teams", {"url": "https://flow.example/x"}, "https://flow.example/x"),
        ("telegram", {"bot_token": "1:a", "chat_id": "7"}, "7"),
        ("telegram", {"bot_token": "1:a"}, None),
        ("webhook", {"secret": SECRET, "url": "https://in.example/x"}, "https://in.example/x"),
        ("webhook", {"secret": SECRET}, None),
        ("email", {"host": "mail.example"}, None),
    ],
)
def test_an_integration_may_name_the_address_of_last_resort(
    channel: str, values: dict[str, str], expected: str | None
) -> None:
    assert CHANNELS[channel].address_default(integration(channel, **values)) == expected


def test_the_platforms_chat_serves_the_platforms_bot_only(settings: Any) -> None:
    settings.TELEGRAM_CHAT_ID = "42"

    assert CHANNELS["telegram"].address_default(None) == "42"
    assert CHANNELS["telegram"].address_default(integration("telegram", bot_token="1:a")) is None
    assert CHANNELS["slack"].address_default(None) is None


# --- One call for all -------------------------------------------------------------------------------------------


def test_one_call_sends_through_any_channel(
    settings: Any, slack_peer: SlackPeer, telegram_peer: TelegramPeer, smtp_peer: SmtpPeer
) -> None:
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BASE_URL = telegram_peer.token, telegram_peer.base_url
    settings.EMAIL_BACKEND = "delivery_gateway.channels.smtp.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", smtp_peer.port, False
    settings.EMAIL_HOST_USER = ""
    sender = Sender()

    by_email = sender.send("ada@example.com", "Hi", "Hello", "email")
    by_slack = sender.send(slack_peer.url, "Hi", "Hello", "slack")
    by_telegram = sender.send("7", "Hi", "Hello", "telegram")

    assert (by_email.ok, by_slack, by_telegram) == (True, Outcome(True, detail="ok"), Outcome(True, provider_id="1"))
    assert (len(smtp_peer.received), len(slack_peer.received), len(telegram_peer.received)) == (1, 1, 1)
    registry.forget_providers()


def test_one_call_sends_through_an_integration(webhook_peer: WebhookPeer) -> None:
    sender = Sender(integration("webhook", secret=SECRET))

    assert sender.send(webhook_peer.url, "Hi", "Hello", "webhook").ok
    assert len(webhook_peer.accepted) == 1


def test_a_failure_is_an_answer(slack_peer: SlackPeer, settings: Any) -> None:
    slack_peer.script("404")
    settings.TELEGRAM_BOT_TOKEN = ""

    gone = Sender().send(slack_peer.url, "Hi", "Hello", "slack")
    nothing = Sender().send("7", "Hi", "Hello", "telegram")

    assert gone == Outcome(False, error_class="config", code="no_service", detail="no_service")
    assert (nothing.ok, nothing.error_class, nothing.code) == (False, "config", "not_configured")
