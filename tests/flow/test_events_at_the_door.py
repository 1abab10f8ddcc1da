"""Accepting events: one statement for one event, one row for one key, whoever comes at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from notification_processor import events
from notification_processor.events import NewEvent
from notification_processor.models import Event

NEW = NewEvent(event_type="PAID", recipients=("ann",), payload={"order": 7})
KEYED = NewEvent(event_type="PAID", recipients=("ann",), payload={"order": 7}, idempotency_key="k")


@pytest.fixture
def tenant(acme, monkeypatch):
    """Its events stay where they are."""
    monkeypatch.setattr(events, "wake", lambda stage: None)
    return acme.tenant


@pytest.mark.parametrize("new", [NEW, KEYED], ids=["no key", "new key"])
def test_event_is_one_statement_and_no_transaction(tenant, django_assert_num_queries, new):
    events.accept(tenant, "test", [replace(new, idempotency_key=new.idempotency_key and "another")])  # prepares it
    Event.objects.all().delete()

    with django_assert_num_queries(1):
        (accepted,) = events.accept(tenant, "test", [new])

    stored = Event.objects.get()
    assert (accepted.event.id, accepted.is_duplicate) == (stored.id, False)
    assert (stored.payload, stored.recipients, stored.state) == ({"order": 7}, ["ann"], "accepted")


def test_event_with_a_used_key_is_two_statements(tenant, django_assert_num_queries):
    (first,) = events.accept(tenant, "test", [KEYED])

    with django_assert_num_queries(2):
        (again,) = events.accept(tenant, "test", [KEYED])

    assert (again.event.id, again.is_duplicate) == (first.event.id, True)


def test_batch_tells_new_from_used_keys(tenant):
    (first,) = events.accept(tenant, "test", [KEYED])

    found = events.accept(tenant, "test", [NEW, KEYED, NewEvent(event_type="OTHER", idempotency_key="k"), NEW])

    assert [(a.is_duplicate, a.problem and a.problem.code) for a in found] == [
        (False, None), (True, None), (False, "idempotency_key_reused"), (False, None),
    ]  # fmt: skip
    assert found[1].event.id == first.event.id
    assert Event.objects.count() == 3


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite belongs to one thread")
def test_twins_at_once_become_one_event(tenant):
    def accept(_):
        try:
            return events.accept(tenant, "test", [KEYED])[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(accept, range(8)))

    assert {a.event.id for a in found} == {Event.objects.get().id}
    assert sorted(a.is_duplicate for a in found) == [False] + [True] * 7
