"""Publishing wake-ups to brokers that are well, refuse, or say nothing."""

import socket
import time
import uuid

import pytest
from celery import Celery, current_app
from django.conf import settings as configured
from django.db import transaction
from kombu.pools import producers

from dev.waiting import wait_until
from traffic_control import redis_client, wakeup
from traffic_control.celery import app

STAGE = "deliver.email"

pytestmark = pytest.mark.skipif(not configured.BROKER_IS_REDIS, reason="the broker of these tests is a Redis")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, settings):
    """Flags and memories of other tests do not count."""
    settings.REDIS_KEY_PREFIX = f"test-{uuid.uuid4().hex[:8]}:"
    monkeypatch.setattr(wakeup, "_paused_until", 0.0)
    redis_client.forget_outage()
    yield
    redis_client.forget_outage()


@pytest.fixture
def black_hole():
    """A server that accepts and never answers; its URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.fixture
def published(monkeypatch):
    """The stages that were published, nothing sent."""
    stages: list[str] = []
    monkeypatch.setattr(wakeup, "_send_once", stages.append)
    return stages


def use_broker(monkeypatch, url):
    connection = app.connection_for_write(url, transport_options=wakeup.PUBLISHER)
    monkeypatch.setattr(wakeup, "_producers", lambda pid: producers[connection])


def test_wake_publishes_once_until_the_task_has_begun(published, db):
    wakeup._publish_unless_under_way(STAGE)
    wakeup._publish_unless_under_way(STAGE)
    assert published == [STAGE]

    wakeup.awake(STAGE)
    wakeup._publish_unless_under_way(STAGE)

    assert published == [STAGE, STAGE]


@pytest.fixture
def foreign_app():
    """Some library's, made after ours: `current_app` is that one now."""
    made = Celery("foreign", broker="redis://127.0.0.1:1/0")
    assert current_app.main == "foreign"
    yield made
    made.close()
    app.set_current()


def test_stage_runs_inline_beside_another_celery_app(foreign_app, inline, transactional_db, caplog):
    wakeup.wake("dispatch")

    assert caplog.records == []


def test_wake_up_is_published_beside_another_celery_app(foreign_app, caplog):
    with app.connection_for_read() as connection:
        queue = app.amqp.queues[STAGE].bind(connection.default_channel)
        queue.purge()
        wakeup.publish(STAGE)

        assert queue.get(no_ack=True) is not None
    assert caplog.records == []


def test_wake_waits_for_the_commit(published, django_capture_on_commit_callbacks, db):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        wakeup.wake(STAGE)
        assert not wait_until(lambda: published, seconds=0.05)

    assert wait_until(lambda: published == [STAGE], seconds=5)


def test_wake_without_redis_leaves_the_work_to_the_dispatcher(published, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    wakeup._publish_unless_under_way(STAGE)
    wakeup.awake(STAGE)

    assert published == []


def test_wake_beside_another_broker_publishes_without_redis(published, settings, monkeypatch):
    settings.REDIS_URL, settings.BROKER_IS_REDIS = "", False
    monkeypatch.setattr(wakeup, "_local_flags", {})

    wakeup._publish_unless_under_way(STAGE)
    wakeup._publish_unless_under_way(STAGE)

    assert published == [STAGE]


def test_wake_is_not_held_up_by_a_redis_that_never_answers(published, settings, black_hole):
    settings.REDIS_URL = black_hole

    first, second = seconds_of(wakeup._publish_unless_under_way), seconds_of(wakeup._publish_unless_under_way)

    assert first < 2  # the budget is 0.2 s; a loaded machine adds to it, a missing budget adds ten
    assert second < 0.05
    assert published == []


@pytest.mark.parametrize("is_silent", [False, True], ids=["refuses", "never answers"])
def test_publish_to_a_broker_that_is_away_gives_up_soon_and_then_rests(monkeypatch, black_hole, is_silent, caplog):
    use_broker(monkeypatch, black_hole if is_silent else "redis://127.0.0.1:1/0")

    first, second = seconds_of(wakeup.publish), seconds_of(wakeup.publish)

    assert first < 2  # the budget is 0.2 s; a loaded machine adds to it, a missing budget adds ten
    assert second < 0.05
    assert len(caplog.records) == 1


def test_publish_works_again_after_the_rest(monkeypatch, settings):
    use_broker(monkeypatch, "redis://127.0.0.1:1/0")
    wakeup.publish(STAGE)
    use_broker(monkeypatch, settings.CELERY_BROKER_URL)
    monkeypatch.setattr(wakeup, "_paused_until", time.monotonic())

    with app.connection_for_read() as connection:
        queue = app.amqp.queues[STAGE].bind(connection.default_channel)
        queue.purge()
        wakeup.publish(STAGE)
        message = queue.get(no_ack=True)
        assert message is not None

    assert message.headers["task"] == "delivery_gateway.send_message"


def seconds_of(call):
    began = time.monotonic()
    call(STAGE)
    return time.monotonic() - began
