"""Who is alive: workers and dispatchers leave the time in Redis every few seconds.

A worker's beat comes from the loop that takes its tasks, so a loop that hangs, or has lost its broker, falls silent.
Redis's own clock counts, which all machines share.
"""

import platform
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from celery import current_app
from django.conf import settings

from traffic_control.redis_client import Away, ask

EVERY = 5.0  # seconds
ALIVE = 30.0  # seconds; who has been silent for longer is not counted on
KEPT = 3600  # seconds that the silent are remembered
DISPATCHER = "dispatcher"
BEAT = """
local now = redis.call('TIME')
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now[1] + now[2] / 1e6, ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now[1] - ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""
_beaten_at: dict[tuple[str, ...], float] = {}


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of `who` as `role`: a queue it takes tasks from, or DISPATCHER. `at` is POSIX."""

    role: str
    who: str
    at: float
    age: float

    @property
    def is_alive(self) -> bool:
        return self.age <= ALIVE


def beat(*roles: str, who: str) -> None:
    """Call it as often as you like: it does something every EVERY seconds. Never raises."""
    now, names = time.monotonic(), (who, *roles)
    if now - _beaten_at.get(names, -EVERY) < EVERY:
        return
    _beaten_at[names] = now
    members = [f"{role}\t{who}" for role in roles]
    try:
        ask(lambda redis: redis.eval(BEAT, 1, _key(), KEPT, *members))
    except Away:
        _beaten_at.pop(names)  # the next call tries again


def beats() -> list[Beat]:
    """The last beat of each. Raises Away."""

    def question(redis: Any) -> tuple[list[tuple[bytes, float]], tuple[int, int]]:
        with redis.pipeline(transaction=False) as pipe:
            found, clock = pipe.zrange(_key(), 0, -1, withscores=True).time().execute()
            return found, clock

    found, (seconds, micros) = ask(question)
    now = seconds + micros / 1_000_000
    named = [(member.decode().partition("\t"), at) for member, at in found]
    return [Beat(role, who, at, age=max(0.0, now - at)) for (role, _, who), at in named]


def dispatcher_beats() -> None:
    beat(DISPATCHER, who=platform.node())


def worker_beats(sender: Any, **_: Any) -> None:
    """Receives Celery's `heartbeat_sent`: its sender is the heart of one worker."""
    beat(*_queues(), who=sender.eventer.hostname)


@cache
def _queues() -> tuple[str, ...]:
    """Those this worker was started with (`-Q`)."""
    return tuple(sorted(current_app.amqp.queues.consume_from))


def _key() -> str:
    return f"{settings.REDIS_KEY_PREFIX}heartbeats"
