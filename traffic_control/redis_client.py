"""One Redis connection pool per process, for wake-up flags, limits and circuits: everything in it may be lost.

Nobody waits for a Redis that is away. After a failure the process leaves it alone for PAUSE seconds, then one caller
at a time finds out whether it is back.
"""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

TIMEOUT = 0.2  # seconds; intake must not hang on Redis
PAUSE = 2.0  # seconds
WARN_EVERY = 60.0  # seconds

T = TypeVar("T")
_resting_until = 0.0
_is_away = False
_warned_at = float("-inf")


class Away(Exception):
    """Redis does not answer, or did not a moment ago, or the install has none."""


def redis_client() -> redis.Redis | None:
    """None when the install has no Redis (embedded, or RabbitMQ without REDIS_URL)."""
    return _connected(settings.REDIS_URL) if settings.REDIS_URL else None


@lru_cache(maxsize=4)
def _connected(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),  # the library's own would wait for seconds
    )


def ask(question: Callable[[redis.Redis], T]) -> T:
    """What Redis answers, within about TIMEOUT. Raises Away."""
    client = redis_client()
    if client is None:
        raise Away("there is none")
    _take_the_chance()
    try:
        answer = question(client)
    except RedisError as exc:
        _rest(exc)
        raise Away(type(exc).__name__) from exc
    _be_back()
    return answer


def forget_outage() -> None:
    """As at the start of the process."""
    global _resting_until, _is_away, _warned_at
    _resting_until, _is_away, _warned_at = 0.0, False, float("-inf")


def _take_the_chance() -> None:
    global _resting_until
    now = time.monotonic()
    if now < _resting_until:
        raise Away("it did not answer a moment ago")
    if _is_away:
        _resting_until = now + PAUSE  # the others rest on while this caller tries


def _rest(exc: RedisError) -> None:
    global _resting_until, _is_away, _warned_at
    now = time.monotonic()
    _resting_until, _is_away = now + PAUSE, True
    if now - _warned_at > WARN_EVERY:
        _warned_at = now
        log.warning("redis is away (%s: %s): limits are off, the dispatcher wakes the workers", type(exc).__name__, exc)


def _be_back() -> None:
    global _resting_until, _is_away
    if _is_away:
        _resting_until, _is_away = 0.0, False
        log.info("redis is back")
