"""Tenants by the hundred, what they send, and how long it took: for `chaos.fairness`."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.product_api import Api
from chaos.scene import Scene
from dev.ports import HOST, free_port

THREADS = 8
BATCH = 1_000  # messages in a request
LATENCIES = """
    SELECT count(*), count(sent_at),
        coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - created_at)), 0),
        coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - created_at)), 0),
        coalesce(max(extract(epoch FROM sent_at - created_at)), 0)
    FROM delivery_gateway_notificationlog WHERE id = ANY(%s::uuid[])
"""
SENT = """
    SELECT count(*) FROM delivery_gateway_notificationlog AS l JOIN tenants_tenant AS t ON t.id = l.tenant_id
    WHERE t.name = %s AND l.sent_at >= to_timestamp(%s) AND l.sent_at < to_timestamp(%s)
"""


@dataclass(frozen=True)
class Waits:
    """Seconds from acceptance to the provider's yes."""

    asked: int
    sent: int
    median: float
    p95: float
    longest: float


def tenants(there: Scene, name: str, count: int) -> list[str]:
    """Their keys."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda n: Api.at(there.shop.url).register(f"{name} {n}").key, range(count)))


def send_each(there: Scene, keys: Sequence[str], message: dict[str, Any], *, rate: float) -> list[str]:
    """One message of each, at a steady rate; the ids."""
    began = time.monotonic()

    def send(part: tuple[int, str]) -> str:
        number, key = part
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        with closing(Api.at(there.shop.url).connection) as connection:
            return str(Api(connection, key).call("POST", "/v1/notify/", message)["id"])

    with ThreadPoolExecutor(THREADS * 2) as pool:
        return list(pool.map(send, enumerate(keys)))


def send_many(there: Scene, key: str, message: dict[str, Any], count: int) -> None:
    """As fast as batches go."""
    with closing(Api.at(there.shop.url).connection) as connection:
        for done in range(0, count, BATCH):
            body = {"notifications": [message] * min(BATCH, count - done)}
            Api(connection, key).call("POST", "/v1/notify/batch/", body)


def waits(there: Scene, ids: Sequence[str], *, patience: float) -> Waits:
    """Once all are sent, or after `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        ((asked, sent, *seconds),) = there.servers.ask(LATENCIES, list(ids))
        if sent == len(ids) or time.monotonic() > until:
            return Waits(asked, sent, *map(float, seconds))
        time.sleep(0.5)


def sent_by(there: Scene, name: str, since: float, until: float) -> int:
    return int(there.servers.ask(SENT, name, since, until)[0][0])


@contextmanager
def dead_endpoints() -> Iterator[list[str]]:
    """One that takes every connection and never says a word, and one where nobody listens."""
    with socket.create_server((HOST, 0), backlog=1024) as server:
        held: list[socket.socket] = []
        threading.Thread(target=_hold, args=(server, held), daemon=True).start()
        yield [f"http://{HOST}:{server.getsockname()[1]}/hook", f"http://{HOST}:{free_port()}/hook"]
        for one in held:
            one.close()


def _hold(server: socket.socket, held: list[socket.socket]) -> None:
    while True:
        try:
            held.append(server.accept()[0])
        except OSError:
            return


def as_json(**figures: Any) -> str:
    return json.dumps(figures, default=vars, indent=1)
