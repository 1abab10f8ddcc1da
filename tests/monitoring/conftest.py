"""Two tenants inside the test's transaction, and clients for them."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client

from monitoring import gauges
from monitoring.models import AuditEntry
from tests.registered import acme, api, globex
from traffic_control import metrics, redis_client
from traffic_control.metrics import Meter

__all__ = ["acme", "api", "globex"]


@pytest.fixture(autouse=True)
def _fresh(settings):
    """Keys of the test's own in Redis, without what earlier tests counted, and no memory of an outage or of gauges."""
    metrics.METER.forget()
    settings.REDIS_KEY_PREFIX = f"test-{uuid.uuid4().hex[:8]}:"
    redis_client.forget_outage()
    gauges.forget()
    yield
    redis_client.forget_outage()
    gauges.forget()


@pytest.fixture
def meter(monkeypatch):
    """What the test counts. It is written when the test says so; what earlier tests counted is not."""
    metrics.METER.forget()
    monkeypatch.setattr(metrics, "WRITE_EVERY", 3600.0)
    made = Meter()
    monkeypatch.setattr("monitoring.exposition.METER", made)
    monkeypatch.setattr(metrics, "METER", made)
    return made


@pytest.fixture
def no_redis(settings):
    """A Redis that nobody runs."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def operator(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="correct horse battery"))
    return client


@pytest.fixture
def since(acme):
    """The entries since the test began, oldest first."""
    before = AuditEntry.objects.count()
    return lambda: list(AuditEntry.objects.order_by("id")[before:])
