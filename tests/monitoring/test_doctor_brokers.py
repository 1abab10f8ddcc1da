"""The doctor, Redis and what is kept in it: a Valkey of the test's own, broken in each way."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as configured

from monitoring.doctor import brokers, life
from monitoring.doctor.examination import examine
from monitoring.doctor.verdict import Check, Level, Verdict, exit_code, good
from tests.conftest import needs_redis
from tests.flow.own_valkey import OwnValkey, black_hole, own_valkey
from traffic_control import heartbeat, redis_client
from traffic_control.celery import app
from traffic_control.heartbeat import DISPATCHER, beat


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    with own_valkey(tmp_path) as own:
        yield own


def asked(valkey: OwnValkey, *command: str) -> Verdict:
    """What the doctor says of it after that command."""
    with brokers.client(valkey.server.url) as client:
        if command:
            client.execute_command(*command)
    return next(iter(brokers.redis_is_well("redis", valkey.server.url)))


def test_redis_that_keeps_everything_is_well(valkey):
    assert asked(valkey).level == Level.OK


def test_redis_that_drops_what_it_likes_is_seen(valkey):
    before = asked(valkey, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    after = asked(valkey, "CONFIG", "SET", "maxmemory", "100mb")

    assert (before.level, after.level) == (Level.WARN, Level.FAIL)
    assert after.found == "maxmemory-policy is allkeys-lru"


def test_redis_that_is_full_is_seen(valkey):
    asked(valkey, "CONFIG", "SET", "maxmemory", "1kb")

    levels = {verdict.level for verdict in brokers.redis_is_well("redis", valkey.server.url)}

    assert levels == {Level.WARN, Level.FAIL}


def test_redis_that_is_a_replica_is_seen(valkey):
    verdict = asked(valkey, "REPLICAOF", "127.0.0.1", "1")

    assert (verdict.level, verdict.found) == (Level.FAIL, "it is a slave")


def examined(settings, url: str, *, seconds: float = 5.0) -> tuple[list[Verdict], float]:
    settings.CELERY_TASK_ALWAYS_EAGER, settings.BROKER_IS_REDIS = False, True
    settings.REDIS_URL = settings.CELERY_BROKER_URL = url
    began = time.monotonic()
    return examine(brokers.redis_checks(), seconds=seconds), time.monotonic() - began


def test_redis_that_is_gone_is_a_failure(settings, valkey):
    valkey.kill()

    [verdict], _ = examined(settings, valkey.server.url)

    assert verdict.level == Level.FAIL
    assert "ConnectionError" in verdict.found


def test_redis_that_never_answers_is_a_failure_within_seconds(settings):
    with black_hole() as url:
        [verdict], took = examined(settings, url)

    assert verdict.level == Level.FAIL
    assert took < 4


def test_rabbitmq_that_is_gone_is_a_failure_within_seconds(settings, monkeypatch):
    settings.CELERY_TASK_ALWAYS_EAGER, settings.CELERY_BROKER_URL = False, "amqp://guest:guest@127.0.0.1:1//"
    monkeypatch.setitem(app.conf, "broker_url", settings.CELERY_BROKER_URL)
    monkeypatch.setitem(app.conf, "broker_read_url", settings.CELERY_BROKER_URL)
    [check] = [check for check in brokers.CHECKS if check.name == "rabbitmq"]
    began = time.monotonic()

    [verdict] = examine([check], seconds=5.0)

    assert verdict.level == Level.FAIL
    assert time.monotonic() - began < 5.5


@pytest.mark.parametrize(
    ("setting", "value", "level", "found"),
    [
        ("task_acks_late", False, Level.WARN, "messages are acknowledged before the work"),
        ("worker_prefetch_multiplier", 4, Level.WARN, "worker_prefetch_multiplier is 4"),
        (
            "broker_transport_options",
            {"visibility_timeout": 30},
            Level.FAIL,
            "visibility_timeout is 30 s, and a task may take 60 s",
        ),
    ],
)
def test_setting_of_celery_that_does_not_fit_is_named(settings, monkeypatch, setting, value, level, found):
    settings.CELERY_TASK_ALWAYS_EAGER, settings.BROKER_IS_REDIS = False, True
    monkeypatch.setitem(app.conf, setting, value)

    assert [(verdict.level, verdict.found) for verdict in brokers.tasks_fit()] == [(level, found)]


def test_settings_of_celery_as_they_are_fit(settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False

    assert [verdict.level for verdict in brokers.tasks_fit()] == [Level.OK]


# --- Who is at work ---------------------------------------------------------------------------------------------


@pytest.fixture
def heard(settings, monkeypatch):
    """An install with workers, and nobody heard of yet."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    monkeypatch.setattr(heartbeat, "_beaten_at", {})


def silence(role: str, who: str) -> None:
    """As if it had been heard of last 31 seconds ago."""
    client = redis_client.redis_client()
    assert client is not None
    client.zadd(heartbeat._key(), {f"{role}\t{who}": time.time() - 31})


@needs_redis
def test_queue_that_nobody_takes_from_is_named(heard):
    beat(*configured.QUEUES, who="one@host")
    [well] = life.workers()
    silence("deliver.chat", "one@host")

    [verdict] = life.workers()

    assert (well.level, verdict.level) == (Level.OK, Level.FAIL)
    assert verdict.found.endswith("takes from deliver.chat")


@needs_redis
def test_dispatcher_that_fell_silent_is_seen(heard):
    beat(DISPATCHER, who="host")
    [well] = life.dispatchers()
    silence(DISPATCHER, "host")

    [verdict] = life.dispatchers()

    assert (well.level, verdict.level) == (Level.OK, Level.FAIL)


# --- Bounds -----------------------------------------------------------------------------------------------------


def test_check_that_hangs_holds_nobody_up():
    checks = [
        Check("slow", lambda: time.sleep(3), "why", "do"),  # type: ignore[arg-type, return-value]
        Check("broken", lambda: [1 / 0], "why", "do"),  # type: ignore[list-item]
        Check("fine", lambda: [good("fine", "well")], "why", "do"),
    ]
    began = time.monotonic()

    found = examine(checks, seconds=0.3)

    assert [(one.name, one.level) for one in found] == [
        ("slow", Level.UNKNOWN), ("broken", Level.UNKNOWN), ("fine", Level.OK),
    ]  # fmt: skip
    assert found[1].found == "ZeroDivisionError: division by zero"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        ([Level.OK, Level.WARN], 0),
        ([Level.OK, Level.FAIL, Level.UNKNOWN], 1),
        ([Level.UNKNOWN, Level.WARN], 2),
    ],
)
def test_exit_code_is_that_of_the_worst(levels, code):
    assert exit_code([Verdict("x", level, "") for level in levels]) == code
