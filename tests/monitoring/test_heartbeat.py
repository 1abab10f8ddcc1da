"""Heartbeats in a real Redis."""

from types import SimpleNamespace

import pytest

from traffic_control import heartbeat, redis_client
from traffic_control.heartbeat import beat, beats
from traffic_control.redis_client import Away


@pytest.fixture(autouse=True)
def _unbeaten(monkeypatch):
    monkeypatch.setattr(heartbeat, "_beaten_at", {})


def roles():
    return sorted((one.role, one.who) for one in beats())


def test_beats_tell_who_is_alive_as_what():
    beat("process", "deliver.email", who="one@host")
    beat("dispatcher", who="host")

    assert roles() == [("deliver.email", "one@host"), ("dispatcher", "host"), ("process", "one@host")]
    assert all(one.is_alive and one.age < 5 for one in beats())


def test_beat_writes_every_few_seconds_however_often_it_is_called(monkeypatch):
    written: list[object] = []
    monkeypatch.setattr(heartbeat, "ask", written.append)

    for _ in range(50):
        beat("process", who="one@host")

    assert len(written) == 1


def test_beat_that_redis_did_not_take_is_tried_again_at_once(settings):
    reachable, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    beat("process", who="one@host")
    settings.REDIS_URL = reachable
    redis_client.forget_outage()

    beat("process", who="one@host")

    assert roles() == [("process", "one@host")]


def test_silent_one_is_not_alive_and_in_the_end_forgotten():
    beat("process", who="one@host")
    client = redis_client.redis_client()
    assert client is not None
    now = beats()[0].at
    client.zadd(heartbeat._key(), {"process\tsilent@host": now - 31, "process\told@host": now - 3700})
    heartbeat._beaten_at.clear()

    beat("process", who="one@host")

    assert {one.who: one.is_alive for one in beats()} == {"one@host": True, "silent@host": False}


def test_heart_of_a_worker_beats_for_its_queues(monkeypatch):
    monkeypatch.setattr(heartbeat, "_queues", lambda: ("deliver.email",))

    heartbeat.worker_beats(SimpleNamespace(eventer=SimpleNamespace(hostname="one@host")))

    assert roles() == [("deliver.email", "one@host")]


def test_beats_without_redis_is_an_error_that_says_so(settings):
    settings.REDIS_URL = ""

    with pytest.raises(Away):
        beats()
