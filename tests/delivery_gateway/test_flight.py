"""Sends under way: slow ones, late ones, and a database that goes away before their outcomes are recorded."""

import threading
import time
from dataclasses import replace

import pytest
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from delivery_gateway import delivery, flight, leases
from delivery_gateway.circuit_breaker import Gate
from delivery_gateway.circuit_store import Key
from delivery_gateway.contract import Receipt
from delivery_gateway.flight import Flight, Job
from delivery_gateway.harbour import harbour
from delivery_gateway.models import Attempt, NotificationLog
from tests.flow.stack import wait_until


class Provider:
    """Answers when it is let to."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.asked = 0

    def send(self, message):
        self.asked += 1
        assert self.open.wait(20)
        return Receipt(provider_id=str(message.id))

    def close(self):
        """Holds nothing."""


@pytest.fixture
def provider(monkeypatch):
    """In the end nothing is out, and no thread holds the test's database."""
    monkeypatch.setattr("delivery_gateway.harbour.IDLE_SECONDS", 0.1)
    made = Provider()
    yield made
    made.open.set()
    for thread in threading.enumerate():
        if thread.name == "harbour":
            thread.join(5)


@pytest.fixture
def queued(acme):
    """Makes rows that wait for delivery."""

    def make(count):
        now = timezone.now()
        common = {"tenant": acme.tenant, "channel": "webhook", "lane": "webhook", "to": "https://example.com/in"}
        rows = [NotificationLog(**common, status="queued", created_at=now, routed_at=now) for _ in range(count)]
        return NotificationLog.objects.bulk_create(rows)

    return make


@pytest.fixture
def jobs(queued, provider, settings):
    """Makes claimed rows and what sends them."""
    settings.CELERY_TASK_ALWAYS_EAGER = False

    def make(count):
        queued(count)
        rows = leases.claim("webhook", limit=count, now=timezone.now())
        return [Job(row, provider, None, Key(row.tenant_id, "webhook", "standard_webhooks")) for row in rows]

    return make


@pytest.fixture
def gate(jobs):
    return Gate()


def admitted(gate, made):
    gate.admit([job.circuit for job in made])
    return made


def reasons():
    return sorted(NotificationLog.objects.values_list("status", "reason", "attempts"))


def test_job_that_starts_too_late_is_given_back_unsent(jobs, gate, provider):
    made = admitted(gate, jobs(2))
    out = Flight(gate)

    out.take([made[0], replace(made[1], start_by=time.monotonic() - 1)])
    out.land()

    assert reasons() == [("queued", "not_started", 0), ("sent", "", 1)]
    assert provider.asked == 1


def test_job_with_a_turn_starts_at_it(jobs, gate, provider):
    made = admitted(gate, jobs(2))
    began = time.monotonic()
    out = Flight(gate)

    out.take([replace(made[0], start_at=began + 0.3), made[1]])
    out.land(0.1)
    assert (provider.asked, out.size) == (1, 1)
    out.land()

    assert time.monotonic() - began >= 0.3
    assert reasons() == [("sent", "", 1)] * 2


def test_provider_that_is_silent_gets_two_calls_and_no_more(jobs, gate, provider, monkeypatch):
    monkeypatch.setattr("delivery_gateway.standing.SLOW", 0.1)
    provider.open.clear()
    out = Flight(gate)

    out.take(admitted(gate, jobs(10)))
    out.land(2)

    assert (provider.asked, out.size) == (2, 2)
    assert reasons() == [("scheduled", "provider_slow", 0)] * 8 + [("sending", "", 0)] * 2
    provider.open.set()
    out.land()
    assert NotificationLog.objects.filter(status="sent").count() == 2


def test_outcomes_wait_for_a_database_that_is_away(jobs, gate, monkeypatch):
    faults = [OperationalError("still gone"), DatabaseError("server closed the connection unexpectedly")]
    finish = leases.finish

    def failing(outcomes):
        if faults:
            raise faults.pop()
        finish(outcomes)

    monkeypatch.setattr(leases, "finish", failing)
    monkeypatch.setattr(flight, "WRITE_AGAIN", (0.01,) * 5)
    out = Flight(gate)

    out.take(admitted(gate, jobs(3)))
    out.land()

    assert reasons() == [("sent", "", 1)] * 3


def test_flight_is_watched_no_longer_once_nothing_comes_in(jobs, gate, provider):
    provider.open.clear()
    out = Flight(gate)
    out.take(admitted(gate, jobs(2)))
    began = time.monotonic()

    out.land(10, silence=0.05)

    assert time.monotonic() - began < 5
    assert (out.size, out.has_news()) == (2, False)
    provider.open.set()
    wait_until(out.has_news, seconds=5, what="an answer")
    out.land()
    assert reasons() == [("sent", "", 1)] * 2


def test_answer_is_recorded_soon_beside_many_flights_that_hang(jobs, gate, provider, monkeypatch):
    monkeypatch.setattr("delivery_gateway.harbour.TURN_SECONDS", 1.0)
    hanging, quick = Provider(), jobs(1)
    hanging.open.clear()
    slow = [replace(job, provider=hanging, circuit=Key(job.row.id, "webhook", "silent")) for job in jobs(10)]
    for job in admitted(gate, [*slow, *quick]):
        out = Flight(gate)
        out.take([job])
        harbour().leave(out)

    wait_until(lambda: reasons().count(("sent", "", 1)) == 1, seconds=5, what="the record")

    hanging.open.set()
    assert harbour().wait(5)
    assert reasons() == [("sent", "", 1)] * 11


def test_task_does_not_wait_for_slow_sends_and_nothing_of_them_is_lost(queued, provider, settings, monkeypatch):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    monkeypatch.setattr(delivery, "get_provider", lambda *_, **__: provider)
    provider.open.clear()
    queued(3)
    began = time.monotonic()

    claimed = delivery.deliver("webhook")

    assert (claimed, NotificationLog.objects.filter(status="sending").count()) == (3, 3)
    assert time.monotonic() - began < 3
    provider.open.set()
    wait_until(lambda: NotificationLog.objects.filter(status="sent").count() == 3, seconds=5, what="the record")
    assert Attempt.objects.count() == 3
    assert harbour().wait(5)


def test_answers_are_recorded_before_more_is_claimed(queued, provider, settings, monkeypatch):
    """Else all that a task sends would count as sent at its end only, and be in doubt until then."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    monkeypatch.setattr(delivery, "publish", lambda stage: None)
    monkeypatch.setattr(delivery, "get_provider", lambda channel, integration=None: provider)
    queued(8 * delivery.BATCH)
    held, claim = [], leases.claim

    def seen(*args, **kwargs):
        held.append(NotificationLog.objects.filter(status="sending").count())
        return claim(*args, **kwargs)

    monkeypatch.setattr(leases, "claim", seen)
    while delivery.deliver("webhook"):
        pass

    assert len(held) > 8
    assert max(held) <= 3 * delivery.BATCH
    assert wait_until(lambda: not NotificationLog.objects.exclude(status="sent").exists())
