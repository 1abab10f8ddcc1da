"""What streams of one user are told that know different things of the inbox."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.db import connection

from inbox import tokens
from inbox.access import Subscriber
from inbox.stream.frames import REPLAY
from inbox.stream.hub import Hub, Stream
from inbox.stream.listening import Listener
from inbox.stream.reading import Reader
from tenants import inbox_secrets
from tests.flow.inbox.conftest import arrive

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="a thread of its own asks the database")


class Interrupted(Reader):
    """Something happens between the answer of the database and its arrival."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__("interrupted")
        self._meanwhile = meanwhile

    async def ask(self, question: Callable[..., Any], *args: Any) -> Any:
        answer = await super().ask(question, *args)
        await self._meanwhile()
        return answer


@pytest.fixture
def subscriber(acme, ann):
    claims = tokens.Claims(inbox_secrets.newest_of(acme.tenant), "ann", frozenset(tokens.SCOPES), 0.0, 9e9)
    return Subscriber(claims, ann)


def stream(subscriber, version):
    return Stream(subscriber, version, until=9e9)


def told(one):
    """The names of its events, and the ids of messages among them."""
    lines = [frame.decode().splitlines() for frame in one.frames]
    return [
        (event.removeprefix("event: "), json.loads(data.removeprefix("data: ")).get("id"))
        for _, event, data, _ in lines
    ]


async def all_told(hub):
    while hub._dirty:
        some = list(hub._dirty)
        hub._dirty.clear()
        await hub._tell_of(some)


def test_stream_that_comes_while_the_database_answers_misses_nothing(ann, subscriber):
    missed = arrive(ann, 2)
    first, late = stream(subscriber, None), stream(subscriber, 0)

    async def meanwhile():
        hub._reader = Reader("plain")
        await hub.open(late)
        hub._dirty.clear()  # what is under way is to see that the late one is told, too

    async def run():
        await hub.open(first)
        await all_told(hub)

    hub = Hub(listener=Listener(""), most=10)
    hub._reader = Interrupted(meanwhile)
    asyncio.run(run())

    assert told(first) == [("counts", None)]
    assert told(late) == [("notification", one) for one in missed]


def test_stream_that_is_closing_is_waited_for_by_nobody(ann, subscriber):
    [_, newest] = arrive(ann, 2)
    closing, open_one = stream(subscriber, 0), stream(subscriber, 1)
    closing.drop()

    async def run():
        hub = Hub(listener=Listener(""), most=10)
        await hub.open(closing)
        await hub.open(open_one)
        async with asyncio.timeout(5):
            await all_told(hub)

    asyncio.run(run())

    assert (told(closing), told(open_one)) == ([], [("notification", newest)])


def test_stream_that_missed_too_much_takes_nothing_from_the_others(ann, subscriber):
    messages = arrive(ann, REPLAY + 2)
    far, near = stream(subscriber, 0), stream(subscriber, REPLAY)

    async def run():
        hub = Hub(listener=Listener(""), most=10)
        await hub.open(far)
        await hub.open(near)
        await all_told(hub)

    asyncio.run(run())

    assert told(far) == [("resync", None)]
    assert told(near) == [("notification", one) for one in messages[REPLAY:]]
