"""The conversion of tables with rows in them, while others write: rows, names and grants stay."""

import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Event as Signal

import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from traffic_control.ids import uuid7

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions")
migration = import_module("delivery_gateway.migrations.0003_partitions")
TABLE = "delivery_gateway_notificationlog"


@pytest.fixture
def before(transactional_db):
    """The apps as they were, with their tables in a schema of their own."""
    apps = MigrationLoader(connection).project_state(("delivery_gateway", "0002_delivery_counts")).apps
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA before")
        cursor.execute("SET search_path TO before")
    with connection.schema_editor() as editor:
        for name in migration.INDEXES:
            editor.create_model(apps.get_model("delivery_gateway", name))
    yield apps
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA before CASCADE")
        cursor.execute("RESET search_path")


def convert(apps):
    with connection.schema_editor(atomic=False) as editor:
        migration.convert(apps, editor)


def fill(apps, count=3):
    log = apps.get_model("delivery_gateway", "NotificationLog")
    rows = [log(id=uuid7(), tenant_id=uuid7(), channel="email", created_at=timezone.now()) for _ in range(count)]
    return {row.id for row in log.objects.bulk_create(rows)}


def names_of(table):
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, table))


def partitions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        return sorted(row[0].removeprefix(TABLE) for row in cursor.fetchall())


def test_old_table_becomes_the_partition_up_to_a_boundary(before):
    ids, names = fill(before), names_of(TABLE)

    convert(before)

    log = before.get_model("delivery_gateway", "NotificationLog")
    assert set(log.objects.values_list("id", flat=True)) == ids
    assert names_of(TABLE) == names | {"ledger_by_status"}
    until, *rest = reversed(partitions())
    assert until.startswith("_until_")
    assert (len(rest), rest[0]) == (4, "_default")
    assert f"{TABLE}_bound" not in names_of(f"{TABLE}{until}")
    assert fill(before) <= set(log.objects.values_list("id", flat=True))


def test_empty_table_is_replaced(before):
    convert(before)

    assert f"_{timezone.now():%Y_%m}" in partitions()
    assert not any("until" in name for name in partitions())


def test_conversion_run_again_changes_nothing(before):
    fill(before)
    convert(before)
    there = partitions()

    convert(before)

    assert partitions() == there


def test_other_roles_keep_what_they_were_granted(before):
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT SELECT ON {TABLE} TO PUBLIC")

    convert(before)

    with connection.cursor() as cursor:
        cursor.execute("SELECT relacl::text FROM pg_class WHERE oid = %s::regclass", [TABLE])
        assert ",=r/" in cursor.fetchone()[0]


def test_row_of_a_later_month_stops_it_with_a_reason_and_no_trace(before):
    fill(before, 1)
    far = "ffffffff-0000-7000-8000-000000000000"
    before.get_model("delivery_gateway", "NotificationLog").objects.update(id=far)

    with pytest.raises(RuntimeError, match="wrong clock"):
        convert(before)

    assert (partitions(), f"{TABLE}_bound" in names_of(TABLE)) == ([], False)


def test_conversion_waits_for_whoever_holds_the_table(before, monkeypatch):
    monkeypatch.setattr(migration, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0.05)
    ids, held, done = fill(before), Signal(), Signal()

    def hold():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE before.{TABLE} IN ACCESS SHARE MODE")
                held.set()
                done.wait(0.5)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert held.wait(5)
        began = time.monotonic()
        convert(before)
        done.set()
        holder.result()

    assert time.monotonic() - began > 0.3
    assert set(before.get_model("delivery_gateway", "NotificationLog").objects.values_list("id", flat=True)) == ids
