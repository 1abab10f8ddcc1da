"""Requests by a timetable: so many a second, however long each answer takes. Raw sockets kept alive, one process."""

import select
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from urllib.parse import urlsplit

from bench.http_wire import first_answer

PATIENCE = 30.0  # seconds for the last answers
TICK = 0.002  # at most so long until what has come due is sent


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """`requests` are sent as they are, in turns, `burst` at a time, from addresses of this machine, in turns too."""

    url: str
    requests: Sequence[bytes]
    rate: float
    seconds: float
    connections: int = 16
    sources: Sequence[str] = ("127.0.0.1",)
    burst: int = 1


@dataclass(frozen=True)
class Kept:
    """What came of a timetable. Latencies count from when a request was due, in seconds, in order of length."""

    latencies: Sequence[float]
    statuses: Mapping[int, int]
    rate: float
    cpu_seconds: float

    def quantile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


@dataclass(slots=True)
class Line:
    """One connection. `due` is when the request that is under way should have been sent."""

    sock: socket.socket
    source: str
    due: float = 0.0
    received: bytes = b""


@dataclass
class Sender:
    timetable: Timetable
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lines: dict[int, Line] = field(default_factory=dict)
    idle: deque[Line] = field(default_factory=deque)
    poll: select.epoll = field(default_factory=select.epoll)

    def run(self) -> Kept:
        plan, own = self.timetable, time.process_time()
        sources, requests = cycle(plan.sources), cycle(plan.requests)
        for _ in range(plan.connections):
            self._connect(next(sources))
        began = time.perf_counter()
        for due in self._moments(began):
            line = self._free_line()
            line.due = due
            line.sock.sendall(next(requests))
        while len(self.idle) < plan.connections and time.perf_counter() < began + plan.seconds + PATIENCE:
            self._receive(TICK)
        took = time.perf_counter() - began
        self.poll.close()
        for line in self.lines.values():
            line.sock.close()
        rate = len(self.latencies) / took
        return Kept(sorted(self.latencies), dict(self.statuses), rate, time.process_time() - own)

    def _moments(self, began: float) -> Iterator[float]:
        """Each when it has come; answers are read meanwhile."""
        plan = self.timetable
        for number in range(int(plan.rate * plan.seconds)):
            due = began + number // plan.burst * plan.burst / plan.rate
            while (wait := due - time.perf_counter()) > 0:
                self._receive(min(wait, TICK))
            yield due

    def _free_line(self) -> Line:
        while not self.idle:
            self._receive(TICK)
        return self.idle.popleft()

    def _receive(self, wait: float) -> None:
        """epoll alone knows no less than a millisecond."""
        select.select((self.poll.fileno(),), (), (), wait)
        for descriptor, _ in self.poll.poll(0):
            line = self.lines[descriptor]
            chunk = line.sock.recv(65_536)
            line.received += chunk
            answer = first_answer(line.received)
            if answer is None and chunk:
                continue
            if answer is not None:
                self.latencies.append(time.perf_counter() - line.due)
                line.received = line.received[answer.size :]
            self.statuses[answer.status if answer else 0] += 1
            if answer and not answer.closes:
                self.idle.append(line)
            else:
                self._connect(self._hung_up(line).source)

    def _hung_up(self, line: Line) -> Line:
        self.poll.unregister(line.sock)
        del self.lines[line.sock.fileno()]
        line.sock.close()
        return line

    def _connect(self, source: str) -> None:
        parts = urlsplit(self.timetable.url)
        address = (parts.hostname or "127.0.0.1", parts.port or 80)
        sock = socket.create_connection(address, timeout=PATIENCE, source_address=(source, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.poll.register(sock, select.EPOLLIN)
        self.lines[sock.fileno()] = line = Line(sock, source)
        self.idle.append(line)


def keep(timetable: Timetable) -> Kept:
    return Sender(timetable).run()
