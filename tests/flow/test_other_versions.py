"""Wake-ups of another version, while a new one is rolled out: turned down, counted, and in nobody's way."""

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from tests.flow.stack import stack, wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def running(tmp_path):
    with stack(tmp_path) as started:
        yield started


def other_version(prefix):
    """A publisher that knows tasks and arguments which this version does not."""
    app = Celery(broker=settings.REDIS_URL, set_as_current=False)
    app.conf.broker_transport_options = {"global_keyprefix": prefix}
    app.conf.task_ignore_result = True
    return app


def test_worker_turns_down_what_it_does_not_know_and_delivers(acme, running):
    app = other_version(running.prefix)
    app.send_task("delivery_gateway.send_by_pigeon", queue="deliver.email")
    app.send_task("delivery_gateway.send_message", kwargs={"lane": "email", "colour": "red"}, queue="deliver.email")
    app.send_task("delivery_gateway.send_message", args=["pigeon"], queue="deliver.email")
    worker = running.worker(concurrency=1)
    running.dispatcher()

    common = {"tenant_id": acme.tenant.id, "channel": "email", "to": "a@b.test", "mode": "test"}
    ledger.open_rows([NewNotification(**common, created_at=timezone.now())])

    wait_until(lambda: NotificationLog.objects.filter(status="sent").exists(), seconds=40, what="delivery")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        counted = f"{running.prefix}metrics", "unknown_tasks"
        wait_until(lambda: client.hget(*counted), what="the count")
        assert client.hget(*counted) == b"1"
    assert worker.poll() is None
    app.close()
