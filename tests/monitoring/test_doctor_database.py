"""The doctor and PostgreSQL: each check sees what was broken for it, in a real server."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from delivery_gateway.states import Status
from monitoring.doctor import clocks, life, postgres
from monitoring.doctor.verdict import Level
from tests.monitoring.test_gauges import row
from traffic_control.ids import uuid7_at

on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such setting")


def level_of(question):
    [verdict] = question()
    return verdict.level


def test_database_that_answers_is_well(db):
    [verdict] = postgres.answers()

    assert verdict.level == Level.OK
    assert verdict.found.startswith(("PostgreSQL", "SQLite"))


@on_postgres
def test_old_postgresql_is_refused(db, monkeypatch):
    monkeypatch.setattr(postgres, "OLDEST", 990000)

    assert level_of(postgres.answers) == Level.FAIL


@on_postgres
@pytest.mark.parametrize(("is_meant", "level"), [(False, Level.FAIL), (True, Level.WARN)])
def test_session_that_does_not_wait_for_the_disk_is_seen(db, settings, is_meant, level):
    settings.ALLOW_UNSAFE_POSTGRES = is_meant
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    [verdict] = postgres.keeps()

    assert verdict.level == level
    assert "synchronous_commit" in verdict.found


@on_postgres
def test_more_threads_than_connections_are_seen(db, monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "100")
    monkeypatch.setenv("WEB_THREADS", "8")

    assert level_of(postgres.has_room) == Level.WARN


@on_postgres
def test_server_without_free_connections_is_seen(db, monkeypatch):
    monkeypatch.setattr(postgres, "FULL", 0.001)

    assert level_of(postgres.has_room) == Level.FAIL


def test_migration_that_was_not_applied_is_named(db):
    MigrationRecorder(connection).record_unapplied("event_intake", "0001_initial")

    [verdict] = postgres.has_our_tables()

    assert (verdict.level, verdict.found) == (Level.FAIL, "not applied: event_intake.0001_initial")


@on_postgres
def test_row_of_no_month_is_seen(acme):
    assert level_of(postgres.has_months) == Level.OK

    row(acme.tenant, Status.SENT, id=uuid7_at(datetime(2099, 1, 1, tzinfo=UTC)))

    assert level_of(postgres.has_months) == Level.WARN


@pytest.mark.parametrize(("seconds", "level"), [(5, Level.OK), (60, Level.WARN), (200, Level.FAIL)])
@pytest.mark.parametrize(("status", "column"), [(Status.SCHEDULED, "due_at"), (Status.SENDING, "lease_until")])
def test_work_that_is_overdue_is_seen(acme, seconds, level, status, column):
    row(acme.tenant, status, **{column: timezone.now() - timedelta(seconds=seconds)})

    [verdict] = life.overdue()

    assert verdict.level == level
    assert "dispatcher" in verdict.do or level == Level.OK


@on_postgres
@pytest.mark.parametrize(("off", "level"), [(0.0, Level.OK), (2.0, Level.WARN), (-9.0, Level.FAIL)])
def test_clock_that_is_off_is_seen(db, off, level):
    [verdict] = clocks.clocks_agree(lambda: datetime.now(UTC).timestamp() + off)

    assert verdict.level == level
    assert "PostgreSQL" in verdict.found
    assert "Redis" in verdict.found


def test_slow_way_to_a_clock_is_not_taken_for_skew():
    times = iter([100.0, 104.0])

    assert clocks.skew(lambda: 100.5, lambda: next(times)) == 0
