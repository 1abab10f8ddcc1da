"""An integration for mail whose service calls back."""

from ipaddress import IPv4Address
from random import randrange

import pytest
from django.test import Client

from tests.peers.mail_services import secret_of


@pytest.fixture
def mailbox(settings, smtp_peer, acme):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    return smtp_peer


@pytest.fixture
def integrate(live, mailbox):
    """An integration for mail that awaits the callbacks of a service; its callback URL."""

    def make(service="standard_webhooks", api=live):
        config = {"host": "127.0.0.1", "port": mailbox.port, "from_email": "Acme <orders@acme.example>"}
        config |= {"callbacks": service, "callback_secret": secret_of(service)}
        answer = api.post("/v1/integrations/", {"channel": "email", "config": config})
        assert answer.status_code == 201, answer.json()
        return answer.json()["callback_url"]

    return make


@pytest.fixture
def provider():
    """Guesses are counted by address, so each has its own."""
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=str(IPv4Address(0x0A000000 + randrange(1 << 24))))
