"""A provider that fails for one tenant: it is left alone for a while, nothing is lost, nobody else notices."""

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from delivery_gateway import circuit_store
from delivery_gateway.circuit_store import Key
from delivery_gateway.delivery import BATCH
from delivery_gateway.models import Attempt, NotificationLog
from notification_processor import dispatching
from tenants.services import register
from tests.conftest import client_with
from tests.peers.webhook import WebhookPeer


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    settings.RETRY_SCHEDULE = [60.0] * 5
    settings.RETRY_MAX_BACKOFF = 60


@pytest.fixture
def broken(live, acme, webhook_peer):
    """Acme's receiver, out of order."""
    webhook_peer.secret = acme.webhook_secret
    webhook_peer.always("500")
    return webhook_peer


@pytest.fixture
def neighbour(acme):
    """Another tenant with a receiver that works: its client, its receiver."""
    other = register("Neighbour", "ops@neighbour.test")
    with WebhookPeer() as peer:
        peer.secret = other.webhook_secret
        yield client_with(other.api_key), peer


def send(api, peer, count):
    items = [{"channel": "webhook", "to": peer.url, "body": str(number)} for number in range(count)]
    return [item["id"] for item in api.post("/v1/notify/batch/", {"notifications": items}).json()["results"]]


def rows(ids):
    return list(NotificationLog.objects.filter(id__in=ids).order_by("id"))


def circuits_of(api):
    return api.get("/v1/circuits/").json()["data"]


def let_pause_end(tenant):
    """As if the pause of its webhook circuit were over."""
    key, now = Key(tenant.id, "webhook", "standard_webhooks"), time.time()
    (before,) = circuit_store.load([key], now)
    assert circuit_store.swap(key, before=before, after=replace(before, retry_at=now, turn=before.turn + 1), now=now)


def come_back():
    """What the circuit has refused is due again."""
    NotificationLog.objects.filter(reason="circuit_open", status="scheduled").update(due_at=timezone.now())
    dispatching.tick()


def test_circuit_of_a_failing_provider_opens_and_the_rest_waits_without_an_attempt(live, broken):
    first = send(live, broken, 10)
    later = send(live, broken, 5)

    assert {(row.status, row.reason, row.attempts) for row in rows(first)} == {("scheduled", "retry", 1)}
    assert {(row.status, row.reason, row.attempts) for row in rows(later)} == {("scheduled", "circuit_open", 0)}
    assert not Attempt.objects.filter(notification_id__in=later).exists()
    assert len(broken.received) == 10
    story = live.get(f"/v1/notifications/{later[0]}/").json()
    assert (story["reason"], story["provider"]) == ("circuit_open", "standard_webhooks")
    (shown,) = circuits_of(live)
    assert shown["opened_at"] < shown["retry_at"]
    del shown["opened_at"], shown["retry_at"]
    assert shown == {
        "channel": "webhook",
        "provider": "standard_webhooks",
        "state": "open",
        "attempts": 10,
        "failures": 10,
        "failure_ratio": 1.0,
    }


def test_circuit_that_opens_spares_what_has_not_started(live, broken):
    ids = send(live, broken, 2 * BATCH)

    assert len(broken.received) <= BATCH  # how much of the first batch gets out is a race with its first answers
    waiting = [row for row in rows(ids) if row.reason == "circuit_open"]
    assert len(waiting) == 2 * BATCH - len(broken.received)
    assert {row.attempts for row in waiting} == {0}
    assert len({row.due_at for row in waiting}) > len(waiting) / 2  # spread: they do not all come back at once


def test_neighbours_circuit_stays_closed_and_its_messages_go_out_at_once(live, broken, neighbour):
    send(live, broken, 10)
    other, its_peer = neighbour

    ids = send(other, its_peer, 20)

    assert {row.status for row in rows(ids)} == {"sent"}
    assert len(its_peer.received) == 20
    assert [one["state"] for one in circuits_of(other)] == ["closed"]
    assert [one["state"] for one in circuits_of(live)] == ["open"]


def test_circuit_closes_with_the_first_message_that_gets_through_and_all_arrive(live, broken, acme):
    send(live, broken, 10)
    waiting = send(live, broken, 5)
    broken.forget()

    let_pause_end(acme.tenant)
    come_back()
    assert [row.status for row in rows(waiting)].count("sent") == 1
    assert circuits_of(live) == []
    come_back()

    assert circuits_of(live)[0]["state"] == "closed"
    assert {(row.status, row.attempts) for row in rows(waiting)} == {("sent", 1)}


def test_probe_that_fails_keeps_the_circuit_open_for_longer(live, broken, acme):
    send(live, broken, 10)
    waiting = send(live, broken, 5)

    let_pause_end(acme.tenant)
    assert circuits_of(live)[0]["state"] == "half_open"
    come_back()

    (shown,) = circuits_of(live)
    assert (len(broken.received), shown["state"]) == (11, "open")
    assert sorted(row.reason for row in rows(waiting)) == ["circuit_open"] * 4 + ["retry"]
    assert timedelta(seconds=50) < datetime.fromisoformat(shown["retry_at"]) - timezone.now() <= timedelta(seconds=60)


def test_message_that_would_come_too_late_is_not_put_off(live, broken):
    send(live, broken, 10)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    item = {"channel": "webhook", "to": broken.url, "body": "x", "expires_at": soon}
    receipt = live.post("/v1/notify/", item).json()
    assert rows([receipt["id"]])[0].status == "scheduled"

    NotificationLog.objects.filter(id=receipt["id"]).update(status="queued", expires_at="2000-01-01T00:00:00Z")
    send(live, broken, 1)

    assert rows([receipt["id"]])[0].status == "expired"


def test_sandbox_has_no_circuits(sandbox):
    items = [{"channel": "email", "to": "flaky@sim.test", "subject": "x", "body": "x"}] * 30
    sandbox.post("/v1/notify/batch/", {"notifications": items})

    assert set(NotificationLog.objects.values_list("reason", "attempts")) == {("retry", 1)}
    assert circuits_of(sandbox) == []
