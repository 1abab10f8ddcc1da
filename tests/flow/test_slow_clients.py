"""Clients that hold connections open and say little: the real server goes on answering everybody else."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.flow.scrape import ask
from tests.flow.stack import answers, stack

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="a server beside the test needs PostgreSQL")

IDLE, SLOW, THREADS = 1_000, 400, 4
START = (
    b"POST /v1/notify/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
)
SEND = {"channel": "email", "to": "user@example.com", "subject": "Hello", "body": "It works."}


class Web:
    def __init__(self, url: str) -> None:
        self.url, self.at = url, (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self.connections = ExitStack()

    def connect(self, first: bytes = b"") -> socket.socket:
        """From another address than the questions that are to be answered: who is cut off is told by it."""
        opened = socket.create_connection(self.at, timeout=20, source_address=("127.0.0.2", 0))
        self.connections.enter_context(opened)
        opened.sendall(first)
        return opened

    def slowest_health(self, *, checks: int = 5) -> float:
        """Seconds; each has to be a 200."""
        took = []
        for _ in range(checks):
            began = time.monotonic()
            assert answers(f"{self.url}/livez")
            assert ask(f"{self.url}/health/redis/")[0] == 200
            took.append(time.monotonic() - began)
        print(f"slowest of {checks} health checks: {max(took) * 1000:.0f} ms")
        return max(took)


@pytest.fixture
def web(acme, tmp_path: Path) -> Iterator[Web]:
    with stack(tmp_path, WEB_THREADS=str(THREADS)) as running:
        web = Web(running.web())
        with web.connections:
            yield web


def test_a_thousand_idle_connections_hold_nobody(acme, web: Web) -> None:
    for _ in range(IDLE):
        web.connect()
    for _ in range(50):
        web.connect(b"GET /v1/noti")

    assert web.slowest_health() < 2


def test_slow_uploads_hold_nobody(acme, web: Web) -> None:
    uploads = [web.connect(START) for _ in range(SLOW)]

    health = web.slowest_health()
    sent = [ask(f"{web.url}/v1/notify/", key=acme.api_key, body=SEND)[0] for _ in range(5)]
    with suppress(ConnectionError):
        for upload in uploads[::20]:
            upload.sendall(b" ")  # a byte now and then helps none of them
    again = web.slowest_health()

    assert max(health, again) < 3
    assert sent == [202] * 5


def test_an_upload_that_does_not_come_is_cut_off(acme, web: Web) -> None:
    uploads = [web.connect(START) for _ in range(20)]

    assert all(is_closed(upload) for upload in uploads[: 20 - THREADS // 2])


def is_closed(upload: socket.socket) -> bool:
    try:
        return not upload.recv(65_536).startswith(b"HTTP/1.1 2")
    except ConnectionError:
        return True


def test_an_upload_that_comes_after_a_while_is_taken(acme, web: Web) -> None:
    late = web.connect(START.replace(b"500", b"2"))
    assert web.slowest_health() < 2
    late.sendall(b"}")

    assert late.recv(100).startswith(b"HTTP/1.1 401")
