"""Ends a worker that takes no work any more, so that whoever watches over processes starts a new one.

kombu drops a broker connection that falls silent, and time limits end a task that hangs. What is left: a worker that
came back to its broker and does not consume, a pool whose processes do not answer, a main loop that stands still. The
last shows in heartbeats that stop, the others as silence: no answer from the broker, and no task that begins or ends.

Known limit: RabbitMQ says nothing while a queue is empty; there, heartbeats count, and silence while tasks are held.
"""

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import billiard
from celery.signals import heartbeat_sent, worker_ready, worker_shutting_down
from celery.worker import state
from django.conf import settings
from kombu.transport.redis import Channel

from traffic_control.celery import app
from traffic_control.wakeup import PATIENCE, PUBLISHER

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds between looks
# Seconds of silence while nothing is held, and between two heartbeats. An idle worker hears from Redis each second, its
# heart beats each two; one that has lost its broker may wait for 30 between two tries to connect.
IDLE = 40.0
UNTOUCHED = 30.0  # seconds in which one of the pool's processes begins a task that the worker holds, if none is busy
MARGIN = 10.0  # seconds after which a task that held on until its time limit has been ended for sure
LAST_WORDS = 20.0  # seconds for the pool's processes to record what they have out
ENDED = os.EX_TEMPFAIL  # exit code: nothing is wrong that a new process would not mend

_polls = _beats = 0
_is_resting = threading.Event()


@dataclass(slots=True)
class Silence:
    """Counts looks instead of asking a clock: a process that was stopped for an hour has been silent for one look."""

    heard: object = None
    looks: int = 0

    def seconds(self, sign: object) -> float:
        """How long `sign` has been the same."""
        self.looks = self.looks + 1 if sign == self.heard else 0
        self.heard = sign
        return self.looks * EVERY

    def forgive(self) -> None:
        self.looks = 0


def set_up() -> None:
    """Watches from when the worker is ready until it is asked to end: then silence is in order."""
    Channel._brpop_read = _counted(Channel._brpop_read)  # type: ignore[attr-defined]
    heartbeat_sent.connect(_beat)
    worker_ready.connect(_begin)
    worker_shutting_down.connect(_rest)


def _begin(**_: Any) -> None:
    threading.Thread(target=_watch, name="watchdog", daemon=True).start()


def _rest(**_: Any) -> None:
    _is_resting.set()


def _beat(**_: Any) -> None:
    """From a timer of the main loop."""
    global _beats
    _beats += 1


def _counted(read: Callable[..., Any]) -> Callable[..., Any]:
    """Every answer to a worker that asks Redis for messages is a sign of life, also that there are none."""

    def counted(channel: Any, **options: Any) -> Any:
        global _polls
        try:
            answer = read(channel, **options)
        except queue.Empty:
            _polls += 1
            raise
        _polls += 1
        return answer

    return counted


def _watch() -> None:
    loop, work = Silence(), Silence()
    while not _is_resting.wait(EVERY):
        still, silent, patience = loop.seconds(_beats), work.seconds(_sign()), _patience()
        if not still and (not silent or patience == float("inf")):
            continue
        if not _broker_answers():  # asked at every look: only silence beside a broker that is there all the time counts
            loop.forgive()
            work.forgive()
        elif (still >= IDLE or silent >= patience) and not _is_resting.is_set():
            _end(max(still, silent))


def _sign() -> tuple[int, ...]:
    return _polls, state.all_total_count[0], len(state.active_requests), len(state.reserved_requests)


def _patience() -> float:
    if running := tuple(state.active_requests):
        return longest(running) + MARGIN
    if state.reserved_requests:
        return UNTOUCHED
    return IDLE if settings.BROKER_IS_REDIS else float("inf")


def longest(running: Iterable[Any]) -> float:
    """Seconds after which the last of these tasks is ended by its time limit."""
    return max(float(one.task.time_limit or settings.CELERY_TASK_TIME_LIMIT) for one in running)


def _broker_answers() -> bool:
    """Over a connection of its own. While it does not, a new process would hear no more than this one."""
    try:
        with app.connection_for_read(transport_options=PUBLISHER, connect_timeout=PATIENCE) as connection:
            return bool(connection.default_channel)
    except Exception as exc:  # any broker's own kind of error
        log.debug("silent, but the broker does not answer either (%s)", type(exc).__name__)
        return False


def _end(seconds: float) -> None:
    log.critical("nothing heard and nothing done for %.0f s, though the broker answers: this worker ends", seconds)
    _send_home(billiard.active_children())
    for child in billiard.active_children():
        _signal(child, signal.SIGKILL)
    logging.shutdown()
    os._exit(ENDED)


def _send_home(children: list[Any]) -> None:
    """Asks the pool's processes to end, and gives them time to record what they have out."""
    for child in children:
        _signal(child, signal.SIGTERM)
    until = time.monotonic() + LAST_WORDS
    while time.monotonic() < until and any(child.is_alive() for child in children):
        time.sleep(0.1)


def _signal(child: Any, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(child.pid, number)
