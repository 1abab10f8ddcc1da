"""A peer per test, well and empty. Loaded for the whole suite (`pytest_plugins` in tests/conftest.py)."""

from collections.abc import Iterator

import pytest

from tests.peers.slack import SlackPeer
from tests.peers.smtp import SmtpPeer
from tests.peers.teams import TeamsPeer
from tests.peers.telegram import TelegramPeer
from tests.peers.webhook import WebhookPeer


@pytest.fixture
def slack_peer() -> Iterator[SlackPeer]:
    with SlackPeer() as peer:
        yield peer


@pytest.fixture
def teams_peer() -> Iterator[TeamsPeer]:
    with TeamsPeer() as peer:
        yield peer


@pytest.fixture
def telegram_peer() -> Iterator[TelegramPeer]:
    """Takes `tests.peers.telegram.TOKEN`; TELEGRAM_BASE_URL is its `base_url`."""
    with TelegramPeer() as peer:
        yield peer


@pytest.fixture
def webhook_peer() -> Iterator[WebhookPeer]:
    """Believes signatures made with `tests.peers.webhook.SECRET`, or with what is put in its `secret`."""
    with WebhookPeer() as peer:
        yield peer


@pytest.fixture
def smtp_peer() -> Iterator[SmtpPeer]:
    with SmtpPeer() as peer:
        yield peer
