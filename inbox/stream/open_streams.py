"""How many streams are open in all processes: each says so every few seconds, and who falls silent does not count."""

import os
import platform
from contextlib import suppress
from typing import Any

from django.conf import settings

from traffic_control.redis_client import Away, ask

ALIVE = 15  # seconds since a process spoke
SAY = """
local now = tonumber(redis.call('TIME')[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. now)
local said, since = redis.call('HGETALL', KEYS[1]), now - tonumber(ARGV[3])
for i = 1, #said, 2 do
  if tonumber(string.match(said[i + 1], ' (%d+)')) < since then redis.call('HDEL', KEYS[1], said[i]) end
end
redis.call('EXPIRE', KEYS[1], 3600)
"""


def say(number: int) -> None:
    """Of this process. Never raises; a Redis that is away hears it the next time."""
    with suppress(Away):
        ask(lambda redis: redis.eval(SAY, 1, _key(), f"{platform.node()}:{os.getpid()}", number, ALIVE))


def open_streams() -> int:
    """Of all processes, a few seconds ago. Raises Away."""

    def question(redis: Any) -> tuple[list[bytes], tuple[int, int]]:
        return redis.hvals(_key()), redis.time()

    said, (now, _) = ask(question)
    fresh = (word.decode().split() for word in said)
    return sum(int(number) for number, at in fresh if int(at) >= now - ALIVE)


def _key() -> str:
    return f"{settings.REDIS_KEY_PREFIX}inbox-streams"
