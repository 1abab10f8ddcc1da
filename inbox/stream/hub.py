"""All open streams of this process, and what makes news reach them."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from uuid import UUID

from delivery_gateway.inbox import Owner
from inbox.access import Subscriber
from inbox.stream import open_streams, reading
from inbox.stream.frames import News, bye, frames_since
from inbox.stream.listening import Listener
from inbox.stream.reading import Reader
from traffic_control.metrics import STREAMS_ENDED, count

log = logging.getLogger(__name__)

AT_ONCE = 100  # inboxes that one look is about
SWEEP = 5.0  # seconds between looks at who may still listen
LOOK_EVERY = 3  # sweeps between looks at all versions, while Redis tells of changes
WITHOUT_REDIS = 1.0  # seconds between looks at all versions
PAUSE = 1.0  # seconds after a look that failed
MOST_FRAMES = 200  # that may wait for a client to take them
OF_A_SUBSCRIBER = 5
STRANGERS = 200  # users who are no customers yet, looked for at a time


class Full(Exception):
    """There are as many streams as this process takes."""


class Stream:
    """One open connection. `version` is what it has been told of; None before the first frame."""

    __slots__ = ("_stirred", "frames", "is_closing", "owner", "reason", "subscriber", "until", "version")

    def __init__(self, subscriber: Subscriber, version: int | None, until: float) -> None:
        self.subscriber, self.owner, self.version, self.until = subscriber, subscriber.owner, version, until
        self.frames: list[bytes] = []
        self.is_closing = False
        self.reason = "gone"  # unless we end it
        self._stirred = asyncio.Event()

    def tell(self, news: News) -> None:
        self.push(*frames_since(self.version, news))
        self.version = news.version

    def push(self, *frames: bytes) -> None:
        if self.is_closing or not frames:
            return
        self.frames += frames
        if len(self.frames) > MOST_FRAMES:
            self.end("slow")
        self._stirred.set()

    def end(self, reason: str) -> None:
        """Says so, and closes once that is sent."""
        if not self.is_closing:
            self.reason = reason
            self.frames.append(bye(reason))
            self.drop()

    def drop(self) -> None:
        self.is_closing = True
        self._stirred.set()

    async def taken(self, seconds: float) -> list[bytes]:
        """What waits to be sent; nothing when nothing came within so long."""
        if not self.frames and not self.is_closing:
            try:
                async with asyncio.timeout(seconds):
                    await self._stirred.wait()
            except TimeoutError:
                pass
        self._stirred.clear()
        frames, self.frames = self.frames, []
        return frames


class Hub:
    """Lives in one event loop: nothing in it is locked."""

    def __init__(self, *, listener: Listener, most: int) -> None:
        self.listener, self.most, self.count = listener, most, 0
        self.streams: dict[UUID, list[Stream]] = {}
        self.strangers: list[Stream] = []
        self._reader = Reader("inbox-look")
        self._dirty: dict[UUID, None] = {}
        self._stirred = asyncio.Event()

    async def open(self, stream: Stream) -> None:
        """Raises Full."""
        if self.count >= self.most:
            count(STREAMS_ENDED, "full")
            raise Full
        self.count += 1
        if stream.owner is None:
            self.strangers.append(stream)
        else:
            await self._attach(stream, stream.owner)

    async def _attach(self, stream: Stream, owner: Owner) -> None:
        stream.owner = owner
        mine = self.streams.setdefault(owner.customer_id, [])
        mine.append(stream)
        for oldest in [one for one in mine if not one.is_closing][:-OF_A_SUBSCRIBER]:
            oldest.end("replaced")
        await self.listener.add(owner.customer_id)
        self.stir([owner.customer_id])

    async def close(self, stream: Stream) -> None:
        self.count -= 1
        stream.drop()
        count(STREAMS_ENDED, stream.reason)
        if stream.owner is None:
            self.strangers.remove(stream)
            return
        customer_id = stream.owner.customer_id
        mine = self.streams[customer_id]
        mine.remove(stream)
        if not mine:
            del self.streams[customer_id]
            await self.listener.remove(customer_id)

    def stir(self, customer_ids: Iterable[UUID]) -> None:
        """There may be news of these."""
        self._dirty.update(dict.fromkeys(customer_ids))
        self._stirred.set()

    def stir_all(self) -> None:
        self.stir(self.streams)

    def end_all(self, reason: str) -> None:
        for stream in [*self.strangers, *(one for mine in self.streams.values() for one in mine)]:
            stream.end(reason)

    def known(self, customer_ids: Iterable[UUID]) -> dict[UUID, int | None]:
        """The least that any stream knows of each inbox."""
        found: dict[UUID, int | None] = {}
        for customer_id in customer_ids:
            versions = [one.version for one in self.streams.get(customer_id, ()) if not one.is_closing]
            if versions:
                told = [version for version in versions if version is not None]
                found[customer_id] = min(told) if told else None
        return found

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell())
            tasks.create_task(self._sweep())
            tasks.create_task(self.listener.run(self.stir, self.stir_all))

    async def _tell(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._dirty:
                some = list(self._dirty)[:AT_ONCE]
                for customer_id in some:
                    del self._dirty[customer_id]
                try:
                    await self._tell_of(some)
                except Exception as exc:  # the database is away: the streams stay, and hear of it later
                    log.warning("inboxes could not be looked at: %s", type(exc).__name__)
                    self._dirty.update(dict.fromkeys(some))
                    await asyncio.sleep(PAUSE)

    async def _tell_of(self, customer_ids: list[UUID]) -> None:
        known = self.known(customer_ids)
        if not known:
            return
        for customer_id, news in (await self._reader.ask(reading.look, known)).items():
            since = known[customer_id]
            for stream in [one for one in self.streams.get(customer_id, ()) if not one.is_closing]:
                if stream.version is None or (since is not None and since <= stream.version):
                    stream.tell(news)
                else:  # it came while we asked, and knows less than we asked for
                    self.stir([customer_id])

    async def _sweep(self) -> None:
        number, looked = 0, 0.0
        while True:
            await asyncio.sleep(SWEEP if self.listener.is_on else WITHOUT_REDIS)
            number += 1
            try:
                if time.monotonic() - looked >= SWEEP:
                    looked = time.monotonic()
                    await self._reader.ask(open_streams.say, self.count)
                    await self._check_access()
                if self.streams and (number % LOOK_EVERY == 0 or not self.listener.is_on):
                    self.stir(await self._reader.ask(reading.changed, self.known(self.streams)))
            except Exception as exc:
                log.warning("inboxes could not be swept: %s", type(exc).__name__)

    async def _check_access(self) -> None:
        """Ends the streams of secrets deleted, tokens called back, tenants switched off and customers forgotten."""
        everybody = [*self.strangers, *(one for mine in self.streams.values() for one in mine)]
        if not everybody:
            return
        kids = await self._reader.ask(reading.usable_kids, {one.subscriber.claims.signer.kid for one in everybody})
        there = await self._reader.ask(reading.existing, list(self.streams))
        for stream in everybody:
            if stream.subscriber.claims.signer.kid not in kids or not _is_good(stream, there):
                stream.end("refused")
        await self._welcome()

    async def _welcome(self) -> None:
        """Users who have become customers meanwhile."""
        some = {self._name(stream): stream for stream in self.strangers[:STRANGERS]}
        if not some:
            return
        for name, owner in (await self._reader.ask(reading.owners_of, list(some))).items():
            for stream in [one for one in self.strangers if self._name(one) == name]:
                self.strangers.remove(stream)
                await self._attach(stream, owner)

    def _name(self, stream: Stream) -> tuple[UUID, str]:
        return stream.subscriber.tenant.pk, stream.subscriber.claims.user_id


def _is_good(stream: Stream, there: Mapping[UUID, int]) -> bool:
    """Whether the stream's customer is there, and its token not called back."""
    if stream.owner is None:
        return True
    tokens_from = there.get(stream.owner.customer_id)
    return tokens_from is not None and stream.subscriber.claims.issued >= tokens_from
