"""Hears from Redis which inboxes have changed: one connection for all streams of the process."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from delivery_gateway.inbox_news import channel_of

log = logging.getLogger(__name__)

AGAIN = 1.0  # seconds between attempts to reach a Redis that is away
PATIENCE = 3.0  # seconds to connect
QUIET = 5.0  # seconds without a message after which the connection is tried
KEEPER = f"{settings.REDIS_KEY_PREFIX}inbox:-"  # a channel of nobody's, so that there always is one


class Listener:
    """`is_on` says whether hints come. Without Redis they never do, and the sweep finds what is new."""

    def __init__(self, url: str) -> None:
        self._url, self.is_on = url, False
        self._wanted: set[UUID] = set()
        self._line: Any = None

    async def add(self, customer_id: UUID) -> None:
        self._wanted.add(customer_id)
        await self._say("subscribe", customer_id)

    async def remove(self, customer_id: UUID) -> None:
        self._wanted.discard(customer_id)
        await self._say("unsubscribe", customer_id)

    async def _say(self, what: str, customer_id: UUID) -> None:
        if self._line is not None and self.is_on:
            with suppress(RedisError, OSError):  # `run` finds out, and connects anew
                await getattr(self._line, what)(channel_of(customer_id))

    async def run(self, stir: Callable[[Iterable[UUID]], None], stir_all: Callable[[], None]) -> None:
        while self._url:
            try:
                await self._listen(stir, stir_all)
            except (RedisError, OSError) as exc:
                log.warning("no hints from redis (%s): inboxes are looked at every second", type(exc).__name__)
            self.is_on = False
            await asyncio.sleep(AGAIN)

    async def _listen(self, stir: Callable[[Iterable[UUID]], None], stir_all: Callable[[], None]) -> None:
        client = redis.asyncio.Redis.from_url(self._url, socket_connect_timeout=PATIENCE, socket_keepalive=True)
        try:
            self._line = client.pubsub(ignore_subscribe_messages=True)
            await self._line.subscribe(KEEPER, *map(channel_of, self._wanted))
            self.is_on = True
            stir_all()
            await self._hear(stir)
        finally:
            self.is_on = False
            await self._line.aclose()
            await client.aclose()

    async def _hear(self, stir: Callable[[Iterable[UUID]], None]) -> None:
        """Raises ConnectionError when Redis says nothing any more, not even to a ping."""
        heard = asked = time.monotonic()
        while True:
            message = await self._line.get_message(timeout=QUIET)  # None also for what was subscribed to
            now = time.monotonic()
            if message is not None:
                heard = now
            if message is not None and message["type"] == "message":
                stir([UUID(message["channel"].decode().rpartition(":")[2])])
            elif now - heard > 3 * QUIET:
                raise ConnectionError("redis is silent")
            elif now - max(heard, asked) >= QUIET:
                asked = now
                await self._line.ping()
