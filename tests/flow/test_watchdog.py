"""Workers that live and take no work: each ends by itself; one that only waits for its broker does not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from delivery_gateway.models import NotificationLog
from tests.flow.load import NOW, Door
from tests.flow.own_valkey import OwnValkey, own_valkey
from tests.flow.stack import QUEUES, ROOT, Stack, stack, wait_until
from traffic_control.watchdog import ENDED, Silence

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    with own_valkey(tmp_path) as own:
        yield own


@pytest.fixture
def running(acme, valkey: OwnValkey, tmp_path: Path) -> Iterator[Stack]:
    """With a worker whose watchdog is hasty, and a message that it has delivered."""
    with stack(tmp_path, **valkey.settings) as started:
        start_worker(started)
        started.dispatcher()
        door = Door(started.web(), acme.test_api_key)
        door.post_until(NOW)
        wait_until(lambda: sent() == 1, what="the first delivery")
        started.door = door  # type: ignore[attr-defined]
        yield started


def start_worker(started: Stack) -> None:
    flags = ["--without-gossip", "--without-mingle", "--loglevel=INFO", "--concurrency=2", "-Q", QUEUES]
    started.start(
        "worker", "tests.flow.hasty_worker", "-A", "traffic_control", "worker", "--hostname=worker@test", *flags
    )


def control(started: Stack, *command: str) -> None:
    asked = [sys.executable, "-m", "celery", "-A", "traffic_control", "control", *command]
    subprocess.run(asked, cwd=ROOT, env=started.env, check=True, capture_output=True, timeout=20)


def sent() -> int:
    return NotificationLog.objects.filter(status="sent").count()


def pool_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def test_worker_that_consumes_no_more_ends_and_the_next_one_delivers(running):
    for queue in settings.QUEUES:
        control(running, "cancel_consumer", queue)  # as after a reconnect that went wrong: alive, and deaf

    code = running.running["worker"].wait(30)
    del running.running["worker"]
    running.door.post_until(NOW)
    start_worker(running)

    wait_until(lambda: sent() == 2, what="the second delivery")
    assert code == ENDED


def test_worker_whose_pool_does_not_answer_ends_and_takes_it_along(running):
    worker = running.running["worker"]
    pool = pool_of(worker.pid)
    for child in pool:
        os.kill(child, signal.SIGSTOP)
    running.door.post_until(NOW)

    assert worker.wait(50) == ENDED
    del running.running["worker"]

    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in pool), seconds=5, what="the pool's end")
    assert len(pool) >= 2


def test_worker_that_waits_for_its_broker_waits_and_takes_up_work_when_it_is_back(running, valkey):
    worker = running.running["worker"]
    valkey.freeze()
    with pytest.raises(AssertionError):
        wait_until(lambda: worker.poll() is not None, seconds=8)
    valkey.thaw()
    running.door.post_until(NOW)

    wait_until(lambda: sent() == 2, what="the second delivery")
    assert worker.poll() is None


def test_silence_is_as_long_as_the_same_sign_was_seen():
    silence = Silence()

    assert [silence.seconds(sign) for sign in ("a", "a", "a", "b", "b")] == [0, 5, 10, 0, 5]
    silence.forgive()
    assert silence.seconds("b") == 5
