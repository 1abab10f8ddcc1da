"""A load client: raw sockets kept alive, epoll, one process, a few percent of a core.

    python -m bench.load --url http://127.0.0.1:8000 --path /v1/notify/ --key sk_live_... --seconds 5 \\
        --body '{"channel": "email", "to": "u{i}@example.com", "subject": "Hi", "body": "number {i}"}'
    python -m bench.load ... --count 2000 --sink http://127.0.0.1:8125 --charge web=12 --charge worker=34

Prints one JSON object (see `Slice`). With `--sink` (bench.sinks) it waits until what was accepted has arrived.
"""

import argparse
import collections
import dataclasses
import json
import select
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping

from bench.cpu import Meter
from bench.http_wire import Target, first_answer

SILENCE_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much to post: until `count` requests are answered or `seconds` have passed, `connections` at a time.

    `patience`: seconds without an arrival at the sink after which the rest is taken for lost. `settle`: seconds to let
    the system finish its own records before the CPU time is read.
    """

    connections: int = 16
    count: int = 0
    seconds: float = 0.0
    per_request: int = 1
    sink: str = ""
    patience: float = 30.0
    settle: float = 0.5


@dataclasses.dataclass(frozen=True)
class Slice:
    """One measurement. `seconds` is the posting alone; `delivered_per_s` counts to the last arrival at the sink."""

    path: str
    connections: int
    requests: int
    seconds: float
    accepted_per_s: float
    p50_ms: float
    p99_ms: float
    statuses: Mapping[int, int]
    hang_ups: int
    client_share: float
    expected: int
    delivered: int
    delivered_per_s: float
    cpu_seconds: Mapping[str, float]
    cpu_ms_per_message: float
    foreign_cores: float
    steal_cores: float


@dataclasses.dataclass(slots=True)
class Connection:
    sock: socket.socket
    received: bytes = b""
    sent_at: float = 0.0


class Client:
    """Keeps every connection busy with one request at a time."""

    def __init__(self, target: Target, plan: Plan) -> None:
        self.latencies: list[float] = []
        self.statuses: collections.Counter[int] = collections.Counter()
        self.hang_ups = 0
        self._address, self._encode = target.address, target.encoder()
        self._limit = plan.count or sys.maxsize
        self._width, self._seconds = plan.connections, plan.seconds or float("inf")
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


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted `values` lie; 0 when there are none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def sink_reading(sink: str, *, at_least: int = 0, wait: float = 0.0) -> tuple[int, float]:
    """(messages so far, unix time of the last). Answers when `at_least` have arrived, or after `wait` seconds."""
    url = f"{sink}/count?at_least={at_least}&wait={wait}"
    with urllib.request.urlopen(url, timeout=wait + 10) as answer:
        body = json.load(answer)
    return body["smtp"] + body["http"], body["last"]


def measure(target: Target, plan: Plan, meter: Meter) -> Slice:
    """Posts, waits for the deliveries when a sink is given, and tells what it took."""
    arrived_before = sink_reading(plan.sink)[0] if plan.sink else 0
    first, began = meter.read(), time.time()
    client = Client(target, plan)
    own_before = time.process_time()
    seconds = client.run()
    client_share = (time.process_time() - own_before) / seconds
    expected = len(client.latencies) * plan.per_request if plan.sink else 0
    delivered, took = _deliveries(plan, arrived_before, expected, began)
    usage = meter.between(first, meter.read())
    latencies = sorted(client.latencies)
    return Slice(
        path=target.path,
        connections=plan.connections,
        requests=len(latencies),
        seconds=seconds,
        accepted_per_s=len(latencies) / seconds,
        p50_ms=1000 * quantile(latencies, 0.5),
        p99_ms=1000 * quantile(latencies, 0.99),
        statuses=dict(client.statuses),
        hang_ups=client.hang_ups,
        client_share=client_share,
        expected=expected,
        delivered=delivered,
        delivered_per_s=delivered / took if took > 0 else 0.0,
        cpu_seconds=dict(usage.by_name),
        cpu_ms_per_message=1000 * usage.seconds / max(1, delivered or len(latencies)),
        foreign_cores=usage.foreign_cores,
        steal_cores=usage.steal_cores,
    )


def _deliveries(plan: Plan, before: int, expected: int, began: float) -> tuple[int, float]:
    """(arrived, seconds to the last arrival). Counts once more after `settle`, so that a duplicate is seen."""
    if not plan.sink:
        time.sleep(plan.settle)
        return 0, 0.0
    arrived, last = sink_reading(plan.sink)
    while arrived < before + expected and time.time() < max(last, began) + plan.patience + plan.settle:
        arrived, last = sink_reading(plan.sink, at_least=before + expected, wait=plan.patience)
    time.sleep(plan.settle)
    return sink_reading(plan.sink)[0] - before, last - began


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("url", "path", "key", "body"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--modulo", type=int, default=0, help="{i} is taken modulo this")
    parser.add_argument("--per-request", type=int, default=1, help="deliveries that one request causes")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--sink", default="", help="base URL of bench.sinks")
    parser.add_argument("--charge", action="append", default=[], help="NAME=PID of a process tree under test")
    parser.add_argument("--known", action="append", default=[], type=int, help="pid of a tree that is not foreign")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    target = Target(given.url, given.path, given.body, key=given.key, modulo=given.modulo)
    plan = Plan(given.connections, given.count, given.seconds, given.per_request, given.sink)
    charged = {name: int(pid) for name, pid in (item.split("=") for item in given.charge)}
    slice_ = measure(target, plan, Meter(charged, frozenset(given.known)))
    json.dump(dataclasses.asdict(slice_), sys.stdout)


if __name__ == "__main__":
    main()
