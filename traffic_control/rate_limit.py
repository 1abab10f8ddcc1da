"""Limits in Redis, each decided in one round trip.

`reserve` and `reserve_within` tell how long to wait instead of saying no: whoever asks has taken its turn. `spend`
says yes or no. All fail open: without Redis nothing waits and nothing is refused.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from traffic_control.metrics import FAILED_OPEN, count
from traffic_control.redis_client import Away, ask, redis_client

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
PARTS = 10  # of a window, in which `spend` counts: quota comes back up to a tenth of the window late
NOW = """
local clock = redis.call('TIME')
local now = tonumber(ARGV[1]) or clock[1] * 1000 + math.floor(clock[2] / 1000)
"""
# The generic cell rate algorithm: a key holds the moment (ms) at which its reserved turns end.
RESERVE = """
local waits = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local turn = math.max(tonumber(redis.call('GET', key) or now), now)
  waits[i] = math.max(0, math.ceil(turn - now - interval * (burst - 1)))
  redis.call('SET', key, turn + interval, 'PX', math.ceil(turn + interval - now) + 1000)
end
return waits
"""
# A log of the last `quota` turns: the next one comes a window after the oldest of them, at the earliest.
RESERVE_WITHIN = """
local quota, window, takes, waits = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]) == 1, {}
for i, key in ipairs(KEYS) do
  local oldest = tonumber(redis.call('LINDEX', key, quota - 1) or now - window)
  local turn = math.max(now, oldest + window)
  if takes then
    redis.call('LPUSH', key, turn)
    redis.call('LTRIM', key, 0, quota - 1)
    redis.call('PEXPIRE', key, turn - now + window)
  end
  waits[i] = turn - now
end
return waits
"""
# A hash of counts by part of the window. The oldest part counts until all of it is out of the window.
SPEND = """
local quota, part, parts = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local wanted, unused, taken_in = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local current = math.floor(now / part)
if unused > 0 and redis.call('HEXISTS', KEYS[1], taken_in) == 1 then
  redis.call('HINCRBY', KEYS[1], taken_in, -unused)
end
local used, oldest, counts = 0, current, redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  local at = tonumber(counts[i])
  if at < current - parts then
    redis.call('HDEL', KEYS[1], counts[i])
  else
    used, oldest = used + tonumber(counts[i + 1]), math.min(oldest, at)
  end
end
local granted = math.max(0, math.min(wanted, quota - used))
if granted > 0 then
  redis.call('HINCRBY', KEYS[1], current, granted)
  redis.call('PEXPIRE', KEYS[1], part * (parts + 1))
end
return {granted, quota - used - granted, (oldest + parts + 1) * part - now, current}
"""
_failed_open = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """One every `interval` seconds; after a silence, `burst` of them at once."""

    interval: float
    burst: int = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `quota` in any `window` seconds."""

    quota: int
    window: int

    def evenly(self) -> Pace:
        """The pace that stays under it: a tenth at once, the rest spread. No window sees more than the quota."""
        return Pace(self.window / (0.9 * self.quota), max(1, self.quota // 10))


@dataclass(frozen=True, slots=True)
class Allowance:
    """`granted` turns of a quota, and what is left of it. More of it comes in `more_in` seconds.

    `part` of the window is where they were counted: who gives turns back names it.
    """

    granted: int
    remaining: int
    more_in: float
    part: int = 0

    @property
    def is_granted(self) -> bool:
        return self.granted > 0


@lru_cache
def parse_limit(text: str) -> Limit | None:
    """ "100/m" → 100 a minute; "" → None. Raises ImproperlyConfigured."""
    if not text:
        return None
    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(?:(\d{1,4})\s*)?([smhd])\w*\s*", text, re.ASCII)
    if not found or int(found[1]) < 1 or int(found[2] or 1) < 1:
        raise ImproperlyConfigured(f'"{text}" is not a rate. Write it as 100/m: a number, a slash, and s, m, h or d.')
    return Limit(int(found[1]), int(found[2] or 1) * PERIODS[found[3]])


def reserve(turns: Sequence[tuple[str, Pace]], *, now: float | None = None) -> list[float]:
    """Seconds until the turn of each key, which is taken by asking; zeros when Redis is away.

    A key may be named several times. `now` (seconds) is for tests: else Redis tells the time.
    """
    paces = [number for _, pace in turns for number in (pace.interval * 1000, pace.burst)]
    return _waits(RESERVE, [key for key, _ in turns], paces, now)


def reserve_within(keys: Sequence[str], limit: Limit, *, now: float | None = None) -> list[float]:
    """As `reserve`, exactly: no `window` ever holds more than `quota` turns. Costs 16 bytes a turn of the quota."""
    return _waits(RESERVE_WITHIN, keys, [limit.quota, limit.window * 1000, 1], now)


def waits_within(keys: Sequence[str], limit: Limit, *, now: float | None = None) -> list[float]:
    """What `reserve_within` would tell of different keys, without taking their turns."""
    return _waits(RESERVE_WITHIN, keys, [limit.quota, limit.window * 1000, 0], now)


def spend(
    key: str, limit: Limit, *, turns: int = 1, unused: int = 0, part: int = 0, now: float | None = None
) -> Allowance | None:
    """Spends `turns` of the key's quota, or as many as are left; None when Redis is away.

    `unused` turns that were counted in `part` and never taken are given back first.
    """
    length = limit.window * 1000 // PARTS
    answer = _run(SPEND, [key], [limit.quota, length, PARTS, turns, unused, part], now)
    return Allowance(answer[0], max(0, answer[1]), answer[2] / 1000, answer[3]) if answer else None


def opaque(text: str) -> str:
    """A recipient or an address, as part of a key: Redis shall not know them."""
    return hashlib.blake2b(text.encode(), digest_size=16, key=settings.SECRET_KEY.encode()[:64]).hexdigest()


def fail_open_count() -> int:
    """How often this process let something pass unchecked because Redis was away."""
    return _failed_open


def _waits(script: str, keys: Sequence[str], numbers: Sequence[float], now: float | None) -> list[float]:
    answer = _run(script, keys, numbers, now) if keys else None
    return [wait / 1000 for wait in answer] if answer else [0.0] * len(keys)


def _run(script: str, keys: Sequence[str], numbers: Sequence[float], now: float | None) -> list[int] | None:
    global _failed_open
    names = [f"{settings.REDIS_KEY_PREFIX}rate:{key}" for key in keys]
    moment = "" if now is None else int(now * 1000)
    try:
        answer: list[int] = ask(lambda client: client.eval(NOW + script, len(names), *names, moment, *numbers))
    except Away:
        if redis_client() is not None:
            _failed_open += len(keys)
            count(FAILED_OPEN, by=len(keys))
        return None
    return answer
