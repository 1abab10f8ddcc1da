"""The past that is made for measuring looks like one that was lived."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from delivery_gateway import partitions, retention
from delivery_gateway.counters import ACCEPTED, key_of
from delivery_gateway.models import Attempt, DeadLetter, DeliveryCount, NotificationLog
from tenants.models import Tenant
from traffic_control.ids import time_of

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL makes the rows")


@pytest.fixture
def told(transactional_db, settings):
    """What the command says; the months that it made are gone after the test."""

    def generate(*arguments):
        out = StringIO()
        call_command("generate_history", *arguments, stdout=out)
        return out.getvalue()

    yield generate
    if partitions.is_partitioned():
        for month in retention.months_before(partitions.month_of(timezone.now())):
            retention.drop(retention.detach(month))


@on_postgresql
def test_history_is_whole(told):
    assert "400 notifications of 2 new tenants" in told("--rows", "400", "--tenants", "2", "--days", "40", "--yes")

    rows = list(NotificationLog.objects.all())
    by_status = Counter(row.status for row in rows)
    tenants = Counter(row.tenant_id for row in rows)
    assert (len(rows), by_status["failed"]) == (400, DeadLetter.objects.count())
    assert Attempt.objects.count() == sum(by_status[status] for status in ("sent", "failed", "bounced"))
    assert tenants[Tenant.objects.get(name="History 1").id] >= 200
    counted = Counter(key_of(row, status) for row in rows for status in (row.status, ACCEPTED))
    assert counted == {(c.tenant_id, c.day, c.channel, c.mode, c.status): c.count for c in DeliveryCount.objects.all()}


@on_postgresql
def test_history_lies_in_its_months_and_ids_tell_its_time(told):
    told("--rows", "50", "--tenants", "1", "--days", "70", "--yes")

    assert partitions.strays() == {}
    assert all(abs(time_of(row.id) - row.created_at.timestamp()) < 0.01 for row in NotificationLog.objects.all())
    assert all(row.event_id and time_of(row.event_id) == time_of(row.id) for row in NotificationLog.objects.all())


@on_postgresql
@pytest.mark.parametrize(("arguments", "reason"), [([], "DEBUG is off"), (["--rows", "0", "--yes"], "1 or more")])
def test_history_is_refused(told, settings, arguments, reason):
    settings.DEBUG = False

    with pytest.raises(CommandError, match=reason):
        told(*arguments)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_history_needs_postgresql(told):
    with pytest.raises(CommandError, match="PostgreSQL"):
        told()
