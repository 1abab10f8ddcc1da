"""Rows that came into their lane without passing the router: what it would have decided is decided at the claim."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway import delivery, leases, ledger, suppressions
from delivery_gateway.contract import Receipt
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import Attempt, NotificationLog, Suppression
from delivery_gateway.states import Status
from tests.conftest import needs_redis
from traffic_control.metrics import METER

ADDRESS = "https://hooks.example.com/1"


class Provider:
    def __init__(self):
        self.taken = []

    def send(self, message):
        self.taken.append(message.address)
        return Receipt()

    def close(self):
        """Holds nothing."""


@pytest.fixture
def provider(monkeypatch):
    made = Provider()
    monkeypatch.setattr(delivery, "get_provider", lambda *_, **__: made)
    return made


@pytest.fixture(autouse=True)
def _nobody_else_works(settings, monkeypatch):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    monkeypatch.setattr("traffic_control.wakeup._run_inline", lambda stage: None)


@pytest.fixture
def opened(acme):
    """Opens rows in the webhook lane; unrouted, unless told otherwise."""

    def put(count=1, *, to=ADDRESS, **fields):
        now = timezone.now()
        common = {"tenant_id": acme.tenant.id, "channel": "webhook", "status": Status.QUEUED, "created_at": now}
        rows = [NewNotification(**common, to=to, body="Hello", **fields) for _ in range(count)]
        ledger.open_rows(rows)
        return rows

    return put


def suppress(tenant, address):
    hashed = suppressions.address_hash(tenant.id, address)
    Suppression.objects.create(tenant=tenant, channel="webhook", address_hash=hashed, reason="gone")


def decided():
    """Notifications decided upon, by outcome, and suppressions, by reason."""
    totals = METER.totals() or {}
    return {labels[-1]: n for (name, *labels), n in totals.items() if name in ("notifications", "suppressions")}


def test_row_is_sent_and_routed_from_then_on(opened, provider):
    opened()

    delivery.deliver("webhook")

    row = NotificationLog.objects.get()
    assert (row.status, row.attempts, provider.taken) == ("sent", 1, [ADDRESS])
    assert row.routed_at is not None


def test_claimed_row_says_that_nobody_has_routed_it(opened):
    opened()
    opened(routed_at=timezone.now())

    first, second = leases.claim("webhook", limit=10, now=timezone.now())

    assert (first.routed_at, second.routed_at is None) == (None, False)
    assert not NotificationLog.objects.filter(routed_at=None).exists()


def test_suppressed_address_is_not_written_to(opened, provider, acme):
    suppress(acme.tenant, ADDRESS)
    opened()
    opened(to="https://hooks.example.com/2")

    delivery.deliver("webhook")

    refused, sent = NotificationLog.objects.order_by("to")
    assert (refused.status, refused.reason) == ("suppressed", "address_suppressed")
    assert refused.detail == "This address is suppressed on webhook: gone."
    assert (refused.attempts, refused.lease_until, sent.status) == (0, None, "sent")
    assert provider.taken == ["https://hooks.example.com/2"]
    assert Attempt.objects.count() == 1


def test_address_suppressed_after_the_router_is_not_written_to_either(opened, provider, acme):
    opened(routed_at=timezone.now())
    suppress(acme.tenant, ADDRESS)

    delivery.deliver("webhook")

    assert (NotificationLog.objects.get().status, provider.taken) == ("suppressed", [])


def test_expired_row_is_not_sent(opened, provider):
    opened(expires_at=timezone.now() - timedelta(seconds=1))

    delivery.deliver("webhook")

    row = NotificationLog.objects.get()
    assert (row.status, row.reason, row.detail) == ("expired", "expired", "It expired before it could be sent.")
    assert provider.taken == []


@needs_redis
def test_recipients_limit_puts_the_rest_off_once(opened, provider, settings, acme):
    settings.RECIPIENT_RATE_LIMIT = "2/h"
    settings.REDIS_KEY_PREFIX = f"test-{acme.tenant.id}:"
    opened(3)
    opened(to="https://hooks.example.com/2")

    delivery.deliver("webhook")

    later = NotificationLog.objects.get(status="scheduled")
    assert (later.reason, later.to, later.attempts) == ("recipient_rate_limit", ADDRESS, 0)
    assert later.routed_at is not None
    assert later.due_at is not None
    assert timedelta(minutes=59) < later.due_at - timezone.now() <= timedelta(hours=1)

    ledger.promote_due(now=later.due_at, limit=10)
    delivery.deliver("webhook")
    assert set(NotificationLog.objects.values_list("status", flat=True)) == {"sent"}
    assert len(provider.taken) == 4


def test_each_is_counted_as_decided_once(opened, provider, acme, settings):
    settings.REDIS_URL = ""
    METER.forget()
    suppress(acme.tenant, "https://hooks.example.com/2")
    opened(2)
    opened(to="https://hooks.example.com/2")
    opened(routed_at=timezone.now())

    delivery.deliver("webhook")

    assert decided() == {"created": 3, "suppressed": 1, "address_suppressed": 1}
