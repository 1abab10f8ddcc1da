"""Cuts off whoever sends a body so slowly that it keeps a thread from everybody else.

A thread that reads a body waits for as long as the client takes, and neither the server nor WSGI can call it back. So a
watchdog looks who waits, and hangs up. It does not know which connection a thread reads from, only the address at its
other end. So it takes those of that address that have sent something since they were last answered, longest first:
exactly as many as are late; all of them when half of the threads wait, as that is no accident. Somebody else's request
from the same address may be among them: it is cut off, and sent again.

Reading costs a microsecond more. Known limit: Linux only, and elsewhere nobody is cut off. A proxy that reads bodies
before it passes them on, as nginx does, keeps such clients away altogether.
"""

import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

BODY_SECONDS = 10.0
GRACE = 0.25  # seconds in which a body arrives that is on its way; all there is while half of the threads wait
LOOK_EVERY = 0.1
TCP_INFO = struct.Struct("=44xI4xI64xQQ")  # of linux/tcp.h: ms since data was sent and received; bytes acked, received
INTERNET = (socket.AF_INET, socket.AF_INET6)
TICK = 10  # ms: the kernel's clock for the first two may be as coarse as this


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class BodyReader:
    """For a process that serves with `threads` threads."""

    def __init__(self, threads: int) -> None:
        self._crowd = max(2, threads // 2)
        self._waiting: dict[int, tuple[float, str]] = {}  # by thread: since when, and for whom
        self._has_work = threading.Event()
        self._watchdog: threading.Thread | None = None

    def read(self, stream: Stream, size: int, *, peer: str) -> bytes:
        """At most `size` bytes; fewer when the client, or we, hang up. `peer` is the address of the connection."""
        thread = threading.get_ident()
        self._waiting[thread] = time.monotonic(), peer
        if not self._has_work.is_set():
            self._wake()
        try:
            return stream.read(size)
        finally:
            del self._waiting[thread]

    def _wake(self) -> None:
        self._has_work.set()
        if self._watchdog is None:
            self._watchdog = threading.Thread(target=self._watch, name="slow-bodies", daemon=True)
            self._watchdog.start()

    def _watch(self) -> None:
        while self._has_work.wait():
            time.sleep(LOOK_EVERY)
            if not self._waiting:
                self._has_work.clear()
            if self._waiting:  # looked again, as somebody may have come in between
                self._has_work.set()
                self.cut_off(time.monotonic())

    def cut_off(self, now: float) -> None:
        ages = [(now - since, peer) for since, peer in self._waiting.copy().values()]
        is_crowded = sum(age > GRACE for age, _ in ages) >= self._crowd
        patience = GRACE if is_crowded else BODY_SECONDS
        for peer, late in Counter(peer for age, peer in ages if age > patience).items():
            unanswered = sorted(unanswered_of(peer), key=lambda one: one.silent_for, reverse=True)
            for one in unanswered if is_crowded else unanswered[:late]:
                if one.silent_for > patience:
                    hang_up(one.descriptor)


@dataclass(frozen=True, slots=True)
class Connection:
    descriptor: int
    silent_for: float  # seconds since we have sent anything


def unanswered_of(peer: str) -> Iterator[Connection]:
    """This process's connections with `peer` that have sent something which is not answered yet, in part at least."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as one:
            if one.family in INTERNET and one.getpeername()[0] == peer and (silence := silence_in(one)):
                yield Connection(int(name), silence)


def silence_in(one: socket.socket) -> float:
    """Seconds since we have sent anything; 0 when the last word was ours, or nobody has spoken yet."""
    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
    sent_ago, received_ago, acked, received = TCP_INFO.unpack(info)
    is_first = received > 0 and acked <= 1  # a SYN may count as a byte
    return float(sent_ago) / 1000 if is_first or received_ago + TICK < sent_ago else 0.0


def hang_up(descriptor: int) -> None:
    """The server still owns the descriptor, sees the end, and closes it."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as one:
        one.shutdown(socket.SHUT_RDWR)
