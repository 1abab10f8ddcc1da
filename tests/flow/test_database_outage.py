"""PostgreSQL goes away under workers that are up, and comes back."""

import pytest
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


def deliver_one(tenant):
    ledger.open_rows(
        [NewNotification(tenant_id=tenant.id, channel="email", to="a@b.test", mode="test", created_at=timezone.now())]
    )
    wait_until(lambda: not NotificationLog.objects.exclude(status="sent").exists(), seconds=40, what="delivery")


def end_connections_of_others():
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()""")
        return cursor.fetchone()[0]


def test_worker_process_outlives_its_database_connection(acme, tmp_path):
    with stack(tmp_path) as running:
        running.dispatcher()
        running.worker(concurrency=1)
        deliver_one(acme.tenant)

        for _ in range(3):
            assert end_connections_of_others() > 0
            deliver_one(acme.tenant)
