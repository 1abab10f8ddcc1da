"""Mail that is received, a customer who gets some, and a browser that is nobody's."""

from ipaddress import IPv4Address
from random import randrange

import pytest
from django.test import Client

from tests.flow.unsubscribing.mail import BASE


@pytest.fixture
def mailbox(settings, smtp_peer, acme):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = BASE, ["testserver", "notify.example.com"]
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    settings.EMAIL_BACKEND = "delivery_gateway.channels.smtp.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", smtp_peer.port, False
    return smtp_peer


@pytest.fixture
def ann(live, mailbox):
    live.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})


@pytest.fixture
def browser():
    """Somebody without a key, a cookie or a CSRF token; CSRF is enforced. Guesses are counted by address."""
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=str(IPv4Address(0x0A000000 + randrange(1 << 24))))
