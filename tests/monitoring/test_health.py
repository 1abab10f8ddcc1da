"""Alive, ready, well: what each answer means, and that none of them hangs."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from delivery_gateway.states import Status
from monitoring import checks, deadline
from monitoring.deadline import TookTooLong, ask_database
from tests.flow.stack import wait_until
from tests.monitoring.test_gauges import row
from traffic_control import heartbeat
from traffic_control.heartbeat import DISPATCHER, Beat

MONTHS = "pass" if connection.vendor == "postgresql" else "unused"
QUEUES = ("process", "deliver.email", "deliver.chat", "deliver.webhook", "deliver.in_app")


@pytest.fixture
def eager(settings):
    settings.CELERY_TASK_ALWAYS_EAGER = True


@pytest.fixture
def workers(settings, monkeypatch):
    """An install with workers, heard of as the test says: their age by role."""
    settings.CELERY_TASK_ALWAYS_EAGER = False

    def are(ages: dict[str, float]) -> None:
        heard = [Beat(role, "somebody", time.time() - age, age) for role, age in ages.items()]
        monkeypatch.setattr(heartbeat, "beats", lambda: heard)

    return are


def body(client, path):
    answer = client.get(path)
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()


@pytest.mark.parametrize("path", ["/livez", "/livez/"])
def test_livez_touches_no_database(client, path):
    answer = client.get(path)  # without the mark `django_db`, a query would raise

    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"ok\n", "no-store")


def test_readyz_tells_of_database_and_tables(client, db):
    status, told = body(client, "/readyz")

    assert (status, told["status"]) == (200, "pass")
    assert told["checks"]["database"]["latency_ms"] < 1000
    assert told["checks"]["migrations"] == {"status": "pass"}


def test_readyz_before_the_tables_are_there_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(checks, "_is_migrated", False)
    monkeypatch.setattr(checks, "_unapplied", lambda: 3)

    status, told = body(client, "/readyz")

    assert (status, told["checks"]["migrations"]) == (503, {"status": "fail", "unapplied": 3})


def test_readyz_asks_for_the_tables_only_until_they_are_there(client, db, monkeypatch, django_assert_num_queries):
    body(client, "/readyz")

    with django_assert_num_queries(1):
        body(client, "/readyz")


def test_readyz_without_redis_is_a_warning(client, db, no_redis):
    status, told = body(client, "/readyz")

    assert (status, told["status"], told["checks"]["redis"]["status"]) == (200, "warn", "fail")


def test_readyz_without_database_is_503_and_tells_no_more_than_the_kind_of_error(client, db, monkeypatch):
    def refuse():
        raise OperationalError("password authentication failed for user hidden")

    monkeypatch.setattr(checks, "_select", refuse)
    status, told = body(client, "/readyz")

    assert (status, told["status"], told["checks"]["database"]["error"]) == (503, "fail", "OperationalError")
    assert "hidden" not in str(told)


def test_health_of_a_small_install_is_well_without_workers(client, db, eager, settings):
    settings.REDIS_URL = ""

    status, told = body(client, "/health/")

    assert (status, told["status"]) == (200, "pass")
    assert {name: check["status"] for name, check in told["checks"].items()} == {
        "database": "pass", "partitions": MONTHS, "backlog": "pass",
        "redis": "unused", "celery": "eager", "dispatcher": "eager",
    }  # fmt: skip
    assert [body(client, f"/health/{part}/")[0] for part in ("redis", "celery")] == [200, 200]


def everywhere(age):
    return dict.fromkeys(QUEUES, age)


@pytest.mark.parametrize(
    ("heard", "status", "overall", "celery"),
    [
        ({**everywhere(2), DISPATCHER: 1}, 200, "pass", "pass"),
        ({**everywhere(2), DISPATCHER: 1, "deliver.chat": 31}, 200, "warn", "warn"),
        ({**everywhere(31), DISPATCHER: 1}, 200, "warn", "fail"),
        ({**everywhere(2), DISPATCHER: 31}, 200, "warn", "pass"),
        ({**everywhere(31), DISPATCHER: 31}, 503, "fail", "fail"),
        ({}, 503, "fail", "fail"),
    ],
)
def test_health_goes_by_heartbeats(client, db, workers, heard, status, overall, celery):
    workers(heard)

    found, told = body(client, "/health/")

    assert (found, told["status"], told["checks"]["celery"]["status"]) == (status, overall, celery)
    assert body(client, "/health/celery/")[0] == (503 if celery == "fail" else 200)


def test_health_names_the_queue_that_nobody_takes_from(client, db, workers):
    workers({**everywhere(2), "deliver.chat": 31})

    told = body(client, "/health/celery/")[1]

    assert told == {"status": "warn", "age_s": 2, "unattended": ["deliver.chat"]}


def test_health_tells_of_rows_in_no_month(client, db, eager, settings, monkeypatch):
    settings.REDIS_URL = ""
    monkeypatch.setattr(checks, "is_partitioned", lambda: True)
    monkeypatch.setattr(
        checks, "strays", lambda: {"delivery_gateway_notificationlog": 2, "delivery_gateway_attempt": 1}
    )

    status, told = body(client, "/health/")

    assert (status, told["status"]) == (200, "warn")
    assert told["checks"]["partitions"] == {"status": "warn", "stray_rows": 3}


def test_health_tells_how_long_the_oldest_work_waits(client, acme, eager, settings):
    settings.REDIS_URL = ""
    row(acme.tenant, Status.SCHEDULED, due_at=timezone.now() - timedelta(seconds=130))

    status, told = body(client, "/health/")

    assert (status, told["status"]) == (200, "warn")
    assert told["checks"]["backlog"]["of"] == "scheduled"
    assert 130 <= told["checks"]["backlog"]["oldest_s"] < 160


def test_health_when_redis_and_so_the_broker_is_away(client, db, settings, no_redis):
    settings.CELERY_TASK_ALWAYS_EAGER = False

    status, told = body(client, "/health/")

    assert (status, told["status"]) == (200, "warn")
    assert {name: check["status"] for name, check in told["checks"].items()} == {
        "database": "pass", "partitions": MONTHS, "backlog": "pass",
        "redis": "fail", "celery": "fail", "dispatcher": "unknown",
    }  # fmt: skip
    assert [body(client, f"/health/{part}/")[0] for part in ("redis", "celery")] == [503, 503]


def test_health_beside_rabbitmq_without_redis_does_not_know(client, db, settings):
    settings.CELERY_TASK_ALWAYS_EAGER, settings.REDIS_URL, settings.BROKER_IS_REDIS = False, "", False

    status, told = body(client, "/health/")

    assert (status, told["status"], told["checks"]["celery"]) == (200, "pass", {"status": "unknown"})


def test_database_that_hangs_is_given_up_in_time_and_not_asked_again_meanwhile(db, monkeypatch):
    dropped, asked = [], []

    class Lent:
        """In place of a connection that hangs: the test's own must stay."""

        def inc_thread_sharing(self):
            pass

        def close(self):
            dropped.append(self)

    def hang():
        asked.append(1)
        time.sleep(0.3)

    monkeypatch.setattr(deadline, "connections", {"default": Lent()})
    monkeypatch.setattr(deadline, "_asking", None)
    began = time.monotonic()
    with pytest.raises(TookTooLong):
        ask_database(hang, seconds=0.05)
    with pytest.raises(TookTooLong):
        ask_database(hang, seconds=0.05)
    took = time.monotonic() - began
    wait_until(lambda: dropped, what="the end of the question")

    assert took < 0.25
    assert asked == [1]
    assert len(dropped) == 1


def test_question_finds_the_tests_own_transaction(db):
    from tenants.models import Tenant

    Tenant.objects.create(name="Acme", slug="acme", email="ops@acme.test")

    assert ask_database(Tenant.objects.count, seconds=5) == 1


def test_fault_of_a_question_is_raised(db):
    with pytest.raises(ZeroDivisionError):
        ask_database(lambda: 1 / 0, seconds=5)
