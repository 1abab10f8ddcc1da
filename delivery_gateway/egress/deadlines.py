"""Wall-clock deadlines for sockets.

A socket's own time-out starts again with each byte, so a peer that sends one byte a second is never late. Here one
watchdog thread per process shuts a socket down, whatever it is doing, when its time is over.
"""

import contextlib
import math
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
        _watchdog.drop(self)
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
    """Sleeps until the earliest deadline under way; it knows as many as there are calls at once, so it looks at all."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._changed = threading.Condition()
        self._under_way: set[Deadline] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._under_way.add(deadline)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="egress-watchdog", daemon=True)
                self._thread.start()
            elif deadline.at < self._wakes_at:
                self._changed.notify()

    def drop(self, deadline: Deadline) -> None:
        """Does not wake the watchdog: it sleeps on, and finds out when it would have acted."""
        with self._changed:
            self._under_way.discard(deadline)

    def _run(self) -> None:
        while True:
            for deadline in self._overdue():
                deadline.expire()

    def _overdue(self) -> list[Deadline]:
        """Waits for at least one."""
        with self._changed:
            while True:
                now = time.monotonic()
                if overdue := [deadline for deadline in self._under_way if deadline.at <= now]:
                    self._under_way.difference_update(overdue)
                    return overdue
                self._wakes_at = min((deadline.at for deadline in self._under_way), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)


_watchdog = _Watchdog()
os.register_at_fork(after_in_child=_watchdog.begin)  # threads and their locks do not survive a fork
