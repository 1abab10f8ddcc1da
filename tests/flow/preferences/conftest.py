"""Somebody with choices to make, a link to her page, and a browser that is nobody's."""

from ipaddress import IPv4Address
from random import randrange

import pytest
from django.test import Client

from tests.flow.preferences.page import BASE
from user_preferences.models import Customer


@pytest.fixture
def ann(live, settings):
    """Who may hear of sales by mail and in the app, and of sign-ins whatever she says."""
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = BASE, ["testserver", "notify.example.com"]
    live.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
    sale = {"event_type": "SALE", "channels": ["email", "in_app"], "category": "news"}
    for workflow in (sale, {"event_type": "SIGN_IN", "channels": ["email"], "category": "security", "critical": True}):
        assert live.post("/v1/workflows/", workflow).status_code == 201
    return Customer.objects.get(user_id="ann")


@pytest.fixture
def browser():
    """Somebody without a key, a cookie or a CSRF token; CSRF is enforced. Looks are counted by address."""
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=str(IPv4Address(0x0A000000 + randrange(1 << 24))))


@pytest.fixture
def link(live, ann):
    made = live.post("/v1/subscribers/ann/preference-links/")
    assert made.status_code == 201, made.json()
    return made.json()["url"].removeprefix(BASE)
