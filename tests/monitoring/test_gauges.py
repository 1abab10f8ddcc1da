"""What waits, where and since when; read through indexes only."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway import dead_letters
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.states import Status
from monitoring import gauges
from notification_processor.models import Event
from tenants.services import register
from traffic_control.ids import uuid7

NOW = timezone.now().replace(microsecond=0)


def row(tenant, status, **columns):
    defaults = {
        "id": uuid7(), "tenant": tenant, "channel": "email", "lane": "email", "to": "a@example.com", "status": status,
        "created_at": NOW, "routed_at": NOW,
    }  # fmt: skip
    return NotificationLog.objects.create(**(defaults | columns))


def event(tenant, **columns):
    defaults = {"event_type": "X", "occurred_at": NOW, "due_at": NOW, "received_at": NOW}
    return Event.objects.create(tenant=tenant, **(defaults | columns))


def test_gauges_tell_what_waits_where_and_since_when(acme):
    tenant = acme.tenant
    event(tenant, due_at=NOW - timedelta(seconds=40))
    event(tenant, due_at=NOW + timedelta(seconds=40))
    event(tenant, state=Event.State.GENERATED, due_at=NOW - timedelta(seconds=5))
    row(tenant, Status.PENDING, created_at=NOW - timedelta(seconds=9), routed_at=None)
    row(tenant, Status.QUEUED, rank=1, routed_at=NOW - timedelta(hours=1), reason="retry", attempts=1)
    row(tenant, Status.QUEUED, rank=2, routed_at=NOW - timedelta(seconds=30))
    row(tenant, Status.SENDING, channel="slack", lane="chat", lease_until=NOW)
    row(tenant, Status.SCHEDULED, due_at=NOW + timedelta(days=1))
    row(tenant, Status.HELD, channel="telegram", lane="chat")
    dead_letters.open_letters([row(tenant, Status.FAILED, error_code="x"), row(tenant, Status.FAILED, error_code="x")])

    found = gauges.read(NOW)

    assert found.depth == {
        "process": 1, "route": 2, "deliver.email": 2, "deliver.chat": 0, "deliver.webhook": 0, "deliver.in_app": 0,
    }  # fmt: skip
    assert (found.oldest["process"], found.oldest["route"], found.oldest["deliver.email"]) == (40, 9, 30)
    assert found.oldest["deliver.chat"] == 0
    assert found.in_flight["deliver.chat"] == 1
    assert (found.scheduled, found.held, found.dead_letters) == ({"email": 1}, {"telegram": 1}, {"email": 2})


def test_tenants_are_counted_by_how_long_they_have_waited(acme):
    for number, seconds in enumerate((0, 2, 40, 700)):
        other = register(f"Tenant {number}", "ops@tenant.test").tenant
        for rank in range(2):
            row(other, Status.QUEUED, rank=rank, routed_at=NOW - timedelta(seconds=seconds * (1 - rank / 2)))

    found = gauges.read(NOW).tenants

    ages = {int(seconds): number for (queue, seconds), number in found.items() if queue == "deliver.email"}
    assert ages == {0: 4, 1: 3, 5: 2, 30: 2, 120: 1, 600: 1}
    assert found["route", "0"] == 0


def test_gauges_tell_how_late_the_dispatcher_is(acme):
    row(acme.tenant, Status.SCHEDULED, due_at=NOW - timedelta(seconds=70))
    row(acme.tenant, Status.SCHEDULED, due_at=NOW + timedelta(days=1))
    row(acme.tenant, Status.SENDING, lease_until=NOW - timedelta(seconds=90))

    found = gauges.read(NOW)

    assert found.overdue == {"scheduled": 70, "lapsed": 90}
    assert found.latest == ("lapsed", 90)


def test_letter_that_was_replayed_is_not_counted(acme):
    failed = [row(acme.tenant, Status.FAILED, error_code="x") for _ in range(3)]
    dead_letters.open_letters(failed)
    DeadLetter.objects.filter(notification=failed[0]).update(replayed_at=NOW)

    assert gauges.read(NOW).dead_letters == {"email": 2}


def test_backlog_is_counted_up_to_a_limit(acme, monkeypatch):
    monkeypatch.setattr(gauges, "MOST", 3)
    for rank in range(5):
        row(acme.tenant, Status.QUEUED, rank=rank)
        row(acme.tenant, Status.SCHEDULED, due_at=NOW)

    found = gauges.read(NOW)

    assert (found.depth["deliver.email"], found.scheduled) == (3, {"email": 3})


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's")
def test_no_query_reads_a_whole_table(acme, django_assert_max_num_queries):
    """With sequential scans dear, whatever is still scanned has no index that would serve."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    with django_assert_max_num_queries(30) as captured:
        gauges.read(NOW)

    plans = []
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert len(plans) > 10
    assert [plan for plan in plans if "Seq Scan" in plan or "Sort  (" in plan] == []
