"""Posting: raw sockets kept alive, epoll, one process, a few percent of a core."""

import collections
import select
import socket
import sys
import time
from dataclasses import dataclass

from bench.http_wire import Target, first_answer

SILENCE_SECONDS = 30.0


@dataclass(slots=True)
class Connection:
    sock: socket.socket
    received: bytes = b""
    sent_at: float = 0.0


class Client:
    """Keeps every connection busy with one request at a time, until `count` are answered or `seconds` have passed."""

    def __init__(self, target: Target, *, connections: int = 1, count: int = 0, seconds: float = 0.0) -> None:
        self.latencies: list[float] = []
        self.statuses: collections.Counter[int] = collections.Counter()
        self.hang_ups = 0
        self._address, self._encode = target.address, target.encoder()
        self._limit = count or sys.maxsize
        self._width, self._seconds = connections, seconds or float("inf")
        self._poll = select.epoll()
        self._busy: dict[int, Connection] = {}
        self._issued = 0

    def run(self) -> float:
        """Posts it all and returns the seconds it took."""
        began = time.perf_counter()
        self._stop_at = began + self._seconds
        for _ in range(min(self._width, self._limit)):
            self._fire(self._connect())
        while self._busy:
            ready = self._poll.poll(SILENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"{len(self._busy)} requests unanswered for {SILENCE_SECONDS:.0f} s")
            for descriptor, _ in ready:
                self._read(self._busy[descriptor])
        self._poll.close()
        return time.perf_counter() - began

    def _connect(self) -> Connection:
        sock = socket.create_connection(self._address, timeout=SILENCE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll.register(sock.fileno(), select.EPOLLIN)
        return Connection(sock)

    def _fire(self, connection: Connection) -> None:
        connection.sent_at = time.perf_counter()
        connection.sock.sendall(self._encode(self._issued))
        self._busy[connection.sock.fileno()] = connection
        self._issued += 1

    def _read(self, connection: Connection) -> None:
        chunk = connection.sock.recv(65536)
        connection.received += chunk
        answer = first_answer(connection.received)
        if answer:
            self._note(connection, answer.status)
            connection.received = connection.received[answer.size :]
        if not chunk or (answer and answer.closes):
            self.hang_ups += not answer
            self._next(connection, reuse=False)
        elif answer:
            self._next(connection, reuse=True)

    def _note(self, connection: Connection, status: int) -> None:
        self.latencies.append(time.perf_counter() - connection.sent_at)
        self.statuses[status] += 1

    def _next(self, connection: Connection, *, reuse: bool) -> None:
        del self._busy[connection.sock.fileno()]
        more = self._issued < self._limit and time.perf_counter() < self._stop_at
        if more and reuse:
            self._fire(connection)
            return
        self._poll.unregister(connection.sock.fileno())
        connection.sock.close()
        if more:
            self._fire(self._connect())
