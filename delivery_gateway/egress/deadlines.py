"""Wall-clock deadlines for sockets.

A socket's own time-out starts again with each byte, so a peer that sends one byte a second is never late. Here one
watchdog thread per process shuts a socket down, whatever it is doing, when its time is over.
"""

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from types import TracebackType


class Deadline:
    """`with Deadline(15) as deadline: deadline.watch(sock)`: at the end of 15 s, reads and writes on `sock` fail.

    The deadline holds a duplicate of the descriptor, so it still reaches the connection after TLS has taken the
    socket object over, and can never hit another connection that was given the same number.
    """

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds
        self.is_over = False
        self.is_done = False
        self._descriptors: list[int] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "Deadline":
        _watchdog.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with self._lock:
            self.is_done = True
            while self._descriptors:
                os.close(self._descriptors.pop())

    def remaining(self) -> float:
        """Seconds left; never zero, which sockets take for "do not wait at all"."""
        return max(0.001, self.at - time.monotonic())

    def watch(self, sock: socket.socket) -> None:
        """Raises TimeoutError, and closes `sock`, when it is too late already."""
        with self._lock:
            if self.is_over:
                sock.close()
                raise TimeoutError("the deadline has passed")
            self._descriptors.append(os.dup(sock.fileno()))

    def expire(self) -> None:
        with self._lock:
            if not self.is_done:
                self.is_over = True
                for descriptor in self._descriptors:
                    _shut(descriptor)


def _shut(descriptor: int) -> None:
    handle = socket.socket(fileno=descriptor)
    with contextlib.suppress(OSError):  # the peer was quicker
        handle.shutdown(socket.SHUT_RDWR)
    handle.detach()


class _Watchdog:
    """Sleeps until the earliest deadline. What is done in time is dropped unseen, so a busy process rarely wakes it."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Deadline]] = []
        self._thread: threading.Thread | None = None

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            heapq.heappush(self._queue, (deadline.at, next(self._order), deadline))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="egress-watchdog", daemon=True)
                self._thread.start()
            elif self._queue[0][2] is deadline:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self._next().expire()

    def _next(self) -> Deadline:
        with self._changed:
            while True:
                while self._queue and self._queue[0][2].is_done:
                    heapq.heappop(self._queue)
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(wait)


_watchdog = _Watchdog()
os.register_at_fork(after_in_child=_watchdog.begin)  # threads and their locks do not survive a fork
