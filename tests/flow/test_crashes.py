"""Processes killed with SIGKILL on the way: nothing lost, nothing twice."""

from functools import partial

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from notification_processor import events
from notification_processor.events import NewEvent
from notification_processor.models import Event
from tests.flow.stack import peak_memory_mb, stack, wait_until
from user_preferences.models import Customer

CUSTOMERS = 10_000

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(180),
]


def rows() -> int:
    return NotificationLog.objects.count()


def more_than(before: int) -> bool:
    return rows() > before


def test_broadcast_whose_worker_is_killed_twice_opens_each_row_once(acme, tmp_path):
    people = [Customer(tenant=acme.tenant, user_id=f"u{i}", email=f"u{i}@example.com") for i in range(CUSTOMERS)]
    Customer.objects.bulk_create(people, batch_size=1_000)

    with stack(tmp_path) as running:
        events.accept(acme.tenant, "test", [NewEvent(event_type="NEWS", topic="all", channels=("email",))])
        running.dispatcher()
        for round_number in (1, 2):
            name = f"worker{round_number}"
            running.worker(name, queues="process", concurrency=1)
            wait_until(partial(more_than, rows()), seconds=60, what="routing")
            running.kill(name)
        killed_at = rows()
        last = running.worker("worker3", queues="process", concurrency=1)
        wait_until(lambda: Event.objects.get().state == Event.State.COMPLETED, seconds=90, what="completion")
        memory = peak_memory_mb(last.pid)

    assert 0 < killed_at < CUSTOMERS
    assert rows() == CUSTOMERS
    assert NotificationLog.objects.values("customer_id").distinct().count() == CUSTOMERS
    assert memory < 250, f"the worker took {memory} MB"
