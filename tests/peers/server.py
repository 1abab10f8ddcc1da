"""What every peer is: an asyncio server on a free loopback port, in a thread, with a script of faults and a record."""

import asyncio
import ssl
import threading
import time
from collections import deque
from typing import Any, Generic, Self, TypeVar

R = TypeVar("R")
OK = "ok"


class Peer(Generic[R]):
    """`received` is what came in, oldest first; `connections` how many were accepted."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.host, self.port, self.tls = host, port, tls
        self.received: list[R] = []
        self.connections = 0
        self._script: deque[str] = deque()
        self._afterwards = OK
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self.open: dict[Any, asyncio.Task[Any]] = {}  # connections that are not closed yet, and who serves them

    def script(self, *faults: str) -> None:
        """What happens to the next requests, one word each; well afterwards."""
        self._check(*faults)
        self._script, self._afterwards = deque(faults), OK

    def always(self, fault: str) -> None:
        """The same fault for every request from now on."""
        self._check(fault)
        self._script, self._afterwards = deque(), fault

    def forget(self) -> None:
        """As new: nothing scripted, nothing received."""
        self.script()
        self.received.clear()

    def wait_for(self, count: int, *, seconds: float = 5.0) -> list[R]:
        """The record, once it holds `count`. Raises AssertionError when that takes too long."""
        ends_at = time.monotonic() + seconds
        with self._news:
            while len(self.received) < count:
                if not self._news.wait(ends_at - time.monotonic()):
                    raise AssertionError(f"{type(self).__name__} received {len(self.received)}, not {count}")
        return self.received

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(5)
        return self

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def record(self, item: R) -> None:
        with self._news:
            self.received.append(item)
            self._news.notify_all()

    def next_fault(self) -> str:
        return self._script.popleft() if self._script else self._afterwards

    def peek_fault(self) -> str:
        return self._script[0] if self._script else self._afterwards

    def knows(self, fault: str) -> bool:
        raise NotImplementedError

    async def listen(self) -> asyncio.Server:
        raise NotImplementedError

    async def hang(self) -> None:
        """Until the peer is stopped."""
        await asyncio.Event().wait()

    def _check(self, *faults: str) -> None:
        if strange := [fault for fault in faults if not self.knows(fault)]:
            raise ValueError(f"{type(self).__name__} knows no fault {strange[0]!r}")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _open(self) -> None:
        self._server = await self.listen()
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        """Not before every connection is closed: what is left open would be blamed on a later test."""
        self._server.close()
        ends_at = self._loop.time() + 2
        while self._loop.time() < ends_at:
            for task in self.open.values():
                task.cancel()
            await asyncio.sleep(0)  # connections that are being accepted come to `open` meanwhile
            if not self.open and len(asyncio.all_tasks()) == 1:
                break
