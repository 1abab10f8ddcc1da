"""A load client: raw sockets kept alive, epoll, one process, a few percent of a core.

    python -m bench.load --url http://127.0.0.1:8000 --path /v1/notify/ --key sk_live_... --seconds 5 \\
        --body '{"channel": "email", "to": "u{i}@example.com", "subject": "Hi", "body": "number {i}"}'
    python -m bench.load ... --count 2000 --sink http://127.0.0.1:8125 --charge web=12 --charge worker=34

Prints one JSON object (see `Slice`). With `--sink` (bench.sinks) it waits until what was accepted has arrived.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping

from bench.arrivals import reading
from bench.client import Client
from bench.cpu import Meter
from bench.http_wire import Target

IDLE_SECONDS = 0.1


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much to post: until `count` requests are answered or `seconds` have passed, `connections` at a time.

    `items`: messages in a request; `per_request`: deliveries it causes; `sink`: where they are counted.
    `is_one_by_one`: the next request waits until the one before has arrived at the sink and all is quiet again.
    `patience`: seconds without an arrival at the sink after which the rest is taken for lost. `settle`: seconds to let
    the system finish its own records before the CPU time is read.
    """

    connections: int = 16
    count: int = 0
    seconds: float = 0.0
    per_request: int = 1
    items: int = 1
    sink: str = ""
    is_one_by_one: bool = False
    patience: float = 30.0
    settle: float = 0.5


@dataclasses.dataclass(frozen=True)
class Slice:
    """One measurement. `seconds` is the posting alone; `accepted_per_s` counts messages, also where a request has many;
    `delivered_per_s` counts to the last arrival at the sink.

    `p50_ms` and `p99_ms`: from a request to its answer; one by one: to its arrival at the sink.
    """

    path: str
    connections: int
    requests: int
    messages: int
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


@dataclasses.dataclass(frozen=True)
class Posted:
    """What the client saw: seconds of each request in order of length, the answers, the client's own CPU seconds."""

    latencies: list[float]
    statuses: Counter[int]
    hang_ups: int
    seconds: float
    client_seconds: float


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted `values` lie; 0 when there are none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def post(target: Target, plan: Plan) -> Posted:
    """As fast as the connections allow."""
    own = time.process_time()
    client = Client(target, connections=plan.connections, count=plan.count, seconds=plan.seconds)
    seconds = client.run()
    used = time.process_time() - own
    return Posted(sorted(client.latencies), client.statuses, client.hang_ups, seconds, used)


def post_one_by_one(target: Target, plan: Plan) -> Posted:
    """Each latency runs from the request to the arrival of its last delivery at the sink."""
    own, start, latencies, statuses, hang_ups = time.process_time(), time.perf_counter(), [], Counter[int](), 0
    for _ in range(plan.count):
        time.sleep(IDLE_SECONDS)
        before, _ = reading(plan.sink)
        client, began = Client(target, count=1), time.time()
        client.run()
        _, last = reading(plan.sink, at_least=before + plan.per_request, wait=plan.patience)
        latencies.append(last - began)
        statuses += client.statuses
        hang_ups += client.hang_ups
    return Posted(sorted(latencies), statuses, hang_ups, time.perf_counter() - start, time.process_time() - own)


def measure(target: Target, plan: Plan, meter: Meter) -> Slice:
    """Posts, waits for the deliveries when a sink is given, and tells what it took."""
    before = reading(plan.sink)[0] if plan.sink else 0
    first, began = meter.read(), time.time()
    posted = post_one_by_one(target, plan) if plan.is_one_by_one else post(target, plan)
    requests = len(posted.latencies)
    expected = requests * plan.per_request if plan.sink else 0
    delivered, took = _deliveries(plan, before, expected, began)
    usage = meter.between(first, meter.read())
    return Slice(
        path=target.path,
        connections=plan.connections,
        requests=requests,
        messages=delivered or requests * plan.items,
        seconds=posted.seconds,
        accepted_per_s=requests * plan.items / posted.seconds,
        p50_ms=1000 * quantile(posted.latencies, 0.5),
        p99_ms=1000 * quantile(posted.latencies, 0.99),
        statuses=dict(posted.statuses),
        hang_ups=posted.hang_ups,
        client_share=posted.client_seconds / posted.seconds,
        expected=expected,
        delivered=delivered,
        delivered_per_s=delivered / took if took > 0 else 0.0,
        cpu_seconds=dict(usage.by_name),
        cpu_ms_per_message=1000 * usage.seconds / max(1, delivered or requests * plan.items),
        foreign_cores=usage.foreign_cores,
        steal_cores=usage.steal_cores,
    )


def _deliveries(plan: Plan, before: int, expected: int, began: float) -> tuple[int, float]:
    """(arrived, seconds to the last arrival). Counts once more after `settle`, so that a duplicate is seen."""
    if not plan.sink:
        time.sleep(plan.settle)
        return 0, 0.0
    arrived, last = reading(plan.sink)
    while arrived < before + expected and time.time() < max(last, began) + plan.patience + plan.settle:
        arrived, last = reading(plan.sink, at_least=before + expected, wait=plan.patience)
    time.sleep(plan.settle)
    return reading(plan.sink)[0] - before, last - began


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
    plan = Plan(
        connections=given.connections,
        count=given.count,
        seconds=given.seconds,
        per_request=given.per_request,
        sink=given.sink,
    )
    charged = {name: int(pid) for name, pid in (item.split("=") for item in given.charge)}
    slice_ = measure(target, plan, Meter(charged, frozenset(given.known)))
    json.dump(dataclasses.asdict(slice_), sys.stdout)


if __name__ == "__main__":
    main()
