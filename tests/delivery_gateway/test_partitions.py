"""Months: made ahead, filled, taken off and dropped. On SQLite there are none, and the command says so."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from delivery_gateway import ledger, partitions, retention
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import Attempt, DeadLetter, NotificationLog
from delivery_gateway.states import Status
from notification_processor import dispatching
from traffic_control.ids import derived_uuid7, uuid7, uuid7_at

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL drops months")
MAY, JUNE, JULY = (datetime(2025, month, 1, tzinfo=UTC) for month in (5, 6, 7))


@pytest.fixture
def row_of(acme, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False  # what is queued stays so

    def put(moment, status=Status.SENT):
        row_id = derived_uuid7(uuid7_at(moment), uuid.uuid4().hex)
        new = NewNotification(
            id=row_id, tenant_id=acme.tenant.id, channel="slack", to="x", status=status, created_at=moment
        )
        ledger.open_rows([new])
        row = NotificationLog.objects.get(id=row_id)
        Attempt.objects.create(
            id=derived_uuid7(row_id, "1"), notification=row, number=1, outcome="sent", started_at=moment
        )
        return row

    return put


@pytest.fixture
def months(transactional_db):
    """May and June of 2025, gone after the test like everything that it made of them."""
    yield lambda: partitions.create([MAY, JUNE])
    for month in retention.months_before(datetime(2026, 1, 1, tzinfo=UTC)):
        retention.drop(retention.detach(month))
    retention.drop(list(retention.detached()))


def run(*arguments):
    out = StringIO()
    call_command("partitions", *arguments, stdout=out)
    return out.getvalue()


def place_of(row):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {row._meta.db_table} WHERE id = %s", [row.pk])
        return cursor.fetchone()[0]


def old():
    return [p.name for table in partitions.TABLES for p in partitions.partitions_of(table) if p.end and p.end <= JULY]


@on_postgresql
def test_this_month_and_the_next_are_there_from_the_start(db):
    now = timezone.now()

    (row,) = NotificationLog.objects.bulk_create([NotificationLog(id=uuid7(), tenant_id=uuid7(), created_at=now)])

    assert place_of(row) == f"delivery_gateway_notificationlog_{now:%Y_%m}"
    assert partitions.create_ahead() == []


@on_postgresql
def test_months_have_the_indexes_and_constraints_of_the_model(months):
    months()

    with connection.cursor() as cursor:
        of = connection.introspection.get_constraints
        parent, month = (of(cursor, f"delivery_gateway_notificationlog{end}") for end in ("", "_2025_06"))
    assert {index.name for index in NotificationLog._meta.indexes} <= parent.keys()
    assert {c.name for c in NotificationLog._meta.constraints} <= month.keys()
    assert len(month) == len(parent)


@on_postgresql
def test_create_moves_rows_that_had_come_before_their_month(row_of, months):
    row = row_of(JUNE)
    assert partitions.strays() == {NotificationLog._meta.db_table: 1, Attempt._meta.db_table: 1}
    assert "1 rows of delivery_gateway_notificationlog are in no month" in run("list")

    made = run("create", "--since", "2025-06", "--months", "1")

    assert "delivery_gateway_notificationlog_2025_06" in made
    assert place_of(row) == "delivery_gateway_notificationlog_2025_06"
    assert (partitions.strays(), NotificationLog.objects.get(), Attempt.objects.count()) == ({}, row, 1)
    for month in retention.months_before(partitions.month_of(timezone.now())):
        retention.drop(retention.detach(month))


@on_postgresql
def test_create_from_many_places_makes_each_month_once(months):
    def create(_):
        try:
            return partitions.create([MAY, JUNE])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = [name for names in pool.map(create, range(4)) for name in names]

    assert sorted(made) == sorted(old())
    assert len(made) == 6


@on_postgresql
def test_drop_says_what_it_would_do_and_does_it_when_told(row_of, months):
    months()
    gone, kept = row_of(MAY), row_of(timezone.now())
    DeadLetter.objects.create(
        tenant=gone.tenant, notification=gone, channel="slack", code="x", reason="x", created_at=MAY
    )
    age = f"{(timezone.now() - JUNE).days}d"

    told = run("drop", "--older-than", age)
    assert "would drop delivery_gateway_notificationlog_2025_05" in told
    assert "Nothing was changed" in told
    assert len(old()) == 6

    told = run("drop", "--older-than", age, "--yes")

    assert "deleted 1 dead letters" in told
    assert {name[-7:] for name in old()} == {"2025_06"}
    assert NotificationLog.objects.get() == kept
    assert (Attempt.objects.get().notification_id, DeadLetter.objects.count()) == (kept.id, 0)


@on_postgresql
def test_drop_keeps_a_month_with_unfinished_rows_and_all_after_it(row_of, months):
    months()
    row_of(MAY, Status.QUEUED)

    told = run("drop", "--older-than", "30d", "--yes")

    assert "kept, with all after it" in told
    assert len(old()) == 6


@on_postgresql
def test_detach_leaves_a_table_that_drop_finds_again(row_of, months):
    months()
    row_of(MAY)

    run("detach", "--older-than", f"{(timezone.now() - JUNE).days}d", "--yes")

    assert NotificationLog.objects.count() == 0
    assert "delivery_gateway_notificationlog_2025_05         detached" in run("list")
    run("drop", "--older-than", f"{(timezone.now() - JUNE).days}d", "--yes")
    assert retention.detached() == {}


@on_postgresql
def test_busy_table_is_left_for_the_next_time(months, monkeypatch):
    monkeypatch.setattr(partitions, "LOCK_SECONDS", 0.1)

    def create():
        try:
            partitions.keep_ahead(now=MAY)
            with pytest.raises(OperationalError):
                partitions.create([MAY])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE delivery_gateway_notificationlog_default IN ACCESS SHARE MODE")
        pool.submit(create).result()

    assert old() == []


@on_postgresql
def test_dispatcher_creates_months_ahead(months, monkeypatch):
    monkeypatch.setattr(dispatching, "_housekept_at", None)

    dispatching.tick(now=MAY - timedelta(days=20))

    assert {name[-7:] for name in old()} == {"2025_04", "2025_05", "2025_06"}


@on_sqlite
def test_command_has_nothing_to_do_without_partitions(db):
    for action in ("list", "create", "detach"):
        assert run(action) == "There is nothing to do: SQLite has no partitions.\n"
    assert (partitions.create_ahead(), partitions.strays()) == ([], {})


@on_sqlite
def test_drop_deletes_finished_rows_without_partitions(row_of, settings):
    gone, waiting, kept = row_of(MAY), row_of(MAY, Status.QUEUED), row_of(timezone.now())
    settings.RETENTION_DAYS = 30

    assert "would delete" in run("drop")
    assert run("drop", "--yes") == "deleted 1 finished notifications\n"

    assert set(NotificationLog.objects.values_list("id", flat=True)) == {waiting.id, kept.id}
    assert not Attempt.objects.filter(notification_id=gone.id).exists()


@pytest.mark.parametrize("age", ["0d", "soon", "90", "9999999d"])
def test_drop_without_an_age_is_refused(db, age):
    with pytest.raises(CommandError, match="not a number of days"):
        run("drop", "--older-than", age)
    with pytest.raises(CommandError, match="RETENTION_DAYS"):
        run("drop")
