"""What the database itself refuses: steps that the states do not have, and fences that go backwards."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import import_module
from threading import Event as Signal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from delivery_gateway import partitions, retention
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import ALLOWED, Status
from traffic_control.ids import uuid7, uuid7_at

migration = import_module("delivery_gateway.migrations.0007_steps")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions")
DUE = {"lease_until": datetime(2026, 1, 1, tzinfo=UTC), "due_at": datetime(2026, 1, 1, tzinfo=UTC)}


def ledger_row(tenant, status="queued", **fields):
    common = {"tenant": tenant, "channel": "slack", "lane": "chat", "created_at": timezone.now()}
    return NotificationLog.objects.create(**common | DUE | {"status": status, "fence": 5} | fields)


def is_refused(row, **change):
    """Nothing is left of the change either way."""
    try:
        with transaction.atomic():
            NotificationLog.objects.filter(id=row.id).update(**change)
            transaction.set_rollback(True)
    except IntegrityError:
        return True
    return False


def test_pairs_in_the_migration_are_those_of_the_code():
    assert {source: set(targets) for source, targets in migration.STEPS.items()} == {
        source: targets for source, targets in ALLOWED.items() if targets
    }


@pytest.mark.parametrize("source", Status)
def test_database_takes_exactly_the_steps_that_the_code_allows(acme, source):
    row = ledger_row(acme.tenant, source)

    taken = {target for target in Status if not is_refused(row, status=target)}

    assert taken == ALLOWED[source] | {source}


def test_fence_may_stay_and_grow_and_never_shrinks(acme):
    row = ledger_row(acme.tenant)

    assert [is_refused(row, fence=fence) for fence in (4, 5, 6)] == [True, False, False]
    assert is_refused(row, status="sending", fence=4)


def test_refusal_names_the_row_and_the_step(acme):
    row = ledger_row(acme.tenant, "sent")
    words = f"notification {row.id} is sent .fence 5. and cannot become queued .fence 5." if is_postgresql() else "step"

    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        NotificationLog.objects.filter(id=row.id).update(status="queued")


def is_postgresql():
    return connection.vendor == "postgresql"


def test_changes_that_take_no_step_pass(acme):
    row = ledger_row(acme.tenant, "sent")

    NotificationLog.objects.filter(id=row.id).update(to="", body="")
    assert NotificationLog.objects.filter(id=row.id).delete()[0] == 1


@on_postgresql
@pytest.mark.parametrize("months", [0, 1, 30])
def test_each_month_has_it_whenever_it_was_made(acme, months):
    """Also the DEFAULT partition, where a row of a month that is not made yet lies."""
    month = partitions.month_of(timezone.now(), later=months)
    row = ledger_row(acme.tenant, "sent", id=uuid7_at(month + timedelta(days=1)))

    assert is_refused(row, status="queued")


@on_postgresql
def test_month_that_is_made_later_gets_it_and_a_month_taken_off_loses_it(acme):
    month = partitions.month_of(timezone.now(), later=40)
    row = ledger_row(acme.tenant, "sent", id=uuid7_at(month + timedelta(days=1)))
    made = partitions.create([month])
    name = f"{migration.LEDGER}_{month:%Y_%m}"
    assert name in made

    assert is_refused(row, status="queued")

    (there,) = [one for one in retention.months_before(partitions.month_of(month, later=1)) if one.end > month]
    retention.detach(there)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {name} SET status = 'queued'")
        assert cursor.rowcount == 1
    retention.drop([partition.name for partition in there.partitions])


@on_postgresql
def test_trigger_comes_and_goes_while_another_holds_the_table(acme, monkeypatch):
    monkeypatch.setattr(migration, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0.05)
    row, held, done = ledger_row(acme.tenant, "sent"), Signal(), Signal()

    def hold():
        try:
            with transaction.atomic():
                NotificationLog.objects.create(
                    id=uuid7(), tenant=acme.tenant, channel="slack", created_at=timezone.now()
                )
                held.set()
                done.wait(0.4)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, connection.schema_editor(atomic=False) as editor:
        holder = pool.submit(hold)
        assert held.wait(5)
        began = time.monotonic()
        migration.backwards(None, editor)
        waited = time.monotonic() - began
        done.set()
        holder.result()
        assert not is_refused(row, status="queued")
        migration.forwards(None, editor)
        migration.forwards(None, editor)

    assert waited > 0.2
    assert is_refused(row, status="queued")
