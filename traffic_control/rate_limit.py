"""Pacing in Redis: the generic cell rate algorithm (GCRA), which tells how long to wait instead of saying no.

Fails open: without Redis nothing waits, and one warning a minute says so.
"""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from redis.exceptions import RedisError

from traffic_control.redis_client import redis_client

log = logging.getLogger(__name__)

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WARN_EVERY = 60.0  # seconds
# For each key: reserve the next free slot, answer the milliseconds until it comes. One round trip for all keys.
RESERVE = """
local now = redis.call('TIME')
local t = now[1] * 1000 + math.floor(now[2] / 1000)
local interval, burst, waits = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for i, key in ipairs(KEYS) do
  local tat = math.max(tonumber(redis.call('GET', key) or t), t)
  waits[i] = math.max(0, math.ceil(tat - t - interval * (burst - 1)))
  redis.call('SET', key, tat + interval, 'PX', math.ceil(tat + interval - t + 1000))
end
return waits
"""
_warned_at = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """`quota` per `window` seconds, of which all may come at once."""

    quota: int
    window: int


def parse_limit(text: str) -> Limit | None:
    """ "100/m" → 100 a minute; "" → None. Raises ImproperlyConfigured."""
    if not text:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*/\s*(?:(\d+)\s*)?([smhd])\w*\s*", text)
    if not found or int(found[1]) < 1:
        raise ImproperlyConfigured(f'"{text}" is not a rate. Write it as 100/m: a number, a slash, and s, m, h or d.')
    return Limit(int(found[1]), int(found[2] or 1) * PERIODS[found[3]])


def reserve(keys: Sequence[str], limit: Limit) -> list[float]:
    """Seconds that each key has to wait for its turn; its turn is taken by asking. Zeros when Redis is away."""
    client = redis_client()
    if not keys or client is None:
        return [0.0] * len(keys)
    names = [f"{settings.REDIS_KEY_PREFIX}rate:{key}" for key in keys]
    try:
        waits = client.eval(RESERVE, len(names), *names, limit.window * 1000 / limit.quota, limit.quota)
    except RedisError as exc:
        _warn(exc)
        return [0.0] * len(keys)
    return [float(wait) / 1000 for wait in waits]


def _warn(exc: RedisError) -> None:
    global _warned_at
    if time.monotonic() - _warned_at > WARN_EVERY:
        _warned_at = time.monotonic()
        log.warning("redis is away (%s): rate limits are off until it returns", type(exc).__name__)
