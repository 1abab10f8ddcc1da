"""Redis gone under load, and back: intake goes on at its usual speed, and everything is delivered without a restart."""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from dev.binaries import valkey_server
from dev.ports import HOST, free_port
from dev.processes import Child
from dev.valkey import Valkey
from tests.flow.stack import stack, wait_until

DOWN_SECONDS = 4.0
CLIENTS = 4
SLOW = 0.5  # seconds
NOW = 0.0

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(180),
]


class OwnValkey:
    """A server of the test's own that comes back empty, as after a crash without persistence."""

    def __init__(self, folder) -> None:
        self.server = Valkey(
            folder=folder,
            program=valkey_server(),
            port=free_port(),
            password=secrets.token_urlsafe(),
            is_durable=False,
        )
        self.child: Child | None = None

    @property
    def settings(self) -> dict[str, str]:
        return {"REDIS_URL": self.server.url, "CELERY_BROKER_URL": self.server.url}

    def start(self) -> None:
        self.child = self.server.start()
        self.server.wait_until_ready(self.child)

    def kill(self) -> None:
        if self.child is not None:
            self.child.kill()


@pytest.fixture
def valkey(tmp_path) -> Iterator[OwnValkey]:
    own = OwnValkey(tmp_path)
    own.start()
    yield own
    own.kill()


@contextmanager
def black_hole() -> Iterator[str]:
    """A server that accepts and never answers; its URL."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(256)
        yield f"redis://{HOST}:{listener.getsockname()[1]}/0"


class Door:
    """Posts one message after another, over one connection, and remembers how each was answered."""

    def __init__(self, base: str, key: str) -> None:
        self.connection = HTTPConnection(urlsplit(base).netloc, timeout=10)
        self.headers = {"X-API-KEY": key, "Content-Type": "application/json"}
        self.statuses: list[int] = []
        self.seconds: list[float] = []

    def post(self) -> None:
        body = json.dumps({"channel": "email", "to": "ann@example.com", "subject": "Hello", "body": "Hello"})
        began = time.monotonic()
        self.connection.request("POST", "/v1/notify/", body, self.headers)
        answer = self.connection.getresponse()
        answer.read()
        self.seconds.append(time.monotonic() - began)
        self.statuses.append(answer.status)

    def post_until(self, moment: float) -> "Door":
        """At least once."""
        with closing(self.connection):
            self.post()
            while time.monotonic() < moment:
                self.post()
        return self


def under_load(base: str, key: str, *, seconds: float) -> list[Door]:
    ends_at = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda door: door.post_until(ends_at), [Door(base, key) for _ in range(CLIENTS)]))


def p99(doors: list[Door]) -> float:
    seconds = sorted(one for door in doors for one in door.seconds)
    return seconds[int(len(seconds) * 0.99)]


def all_statuses(doors: list[Door]) -> set[int]:
    return {status for door in doors for status in door.statuses}


def sent() -> int:
    return NotificationLog.objects.filter(status="sent").count()


def test_redis_killed_under_load_slows_nobody_and_all_is_delivered_after_its_return(acme, valkey, tmp_path):
    limits = {"API_RATE_LIMIT": "1000000/m", "RECIPIENT_RATE_LIMIT": "1000000/m"}
    with stack(tmp_path, **valkey.settings, **limits) as running:
        base = running.web()
        running.worker()
        running.dispatcher()
        Door(base, acme.test_api_key).post_until(NOW)
        wait_until(sent, what="the first delivery")

        valkey.kill()
        doors = under_load(base, acme.test_api_key, seconds=DOWN_SECONDS)
        valkey.start()
        back_at = time.monotonic()
        accepted = 1 + sum(len(door.statuses) for door in doors)
        wait_until(lambda: sent() == accepted, seconds=60, what="delivery after Redis came back")

        print(f"{accepted} accepted, p99 {p99(doors):.3f} s, delivered {time.monotonic() - back_at:.1f} s after")
        before = sent()
        Door(base, acme.test_api_key).post_until(NOW)
        wait_until(lambda: sent() > before, seconds=5, what="business as usual")

    assert accepted > 100
    assert all_statuses(doors) == {202}
    assert p99(doors) < SLOW


def test_redis_that_never_answers_holds_no_request_up(acme, tmp_path):
    with (
        black_hole() as url,
        stack(tmp_path, REDIS_URL=url, CELERY_BROKER_URL=url, API_RATE_LIMIT="1000/m") as running,
    ):
        doors = under_load(running.web(), acme.test_api_key, seconds=DOWN_SECONDS)

    print(f"{sum(len(d.statuses) for d in doors)} accepted, p99 {p99(doors):.3f} s")
    assert all_statuses(doors) == {202}
    assert max(max(door.seconds) for door in doors) < SLOW
