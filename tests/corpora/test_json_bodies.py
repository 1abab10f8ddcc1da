"""Hostile bodies against the real server: each is refused, at once, and costs no memory. Nobody else notices."""

import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from rest_framework.test import APIClient

from delivery_gateway.models import NotificationLog
from notification_processor.models import Event
from tenants.services import Registration
from tests.corpora.doors import Caller, Door, hot_doors, other_doors, possessions
from tests.corpora.json_bodies import COMPRESSED, FEW, FRAGMENTS, GOOD, HEADS, TYPES, WHOLE
from tests.flow.stack import stack

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="a server beside the test needs PostgreSQL")
AT_ONCE = 0.1  # seconds, the best of some tries: another program may take the processor away
TRIES = 5
LARGE = 1_000_000  # bytes; the sending alone takes its time, and the server may hang up before the end
REFUSED = {400, 404, 409, 413, 415, 422}


@dataclass(frozen=True)
class Web:
    url: str
    pid: int

    def resident_mb(self) -> float:
        """Of all its processes together."""
        return sum(int(words[1]) for words in self._words_in("statm")) * os.sysconf("SC_PAGE_SIZE") / 1_048_576

    def cpu_seconds(self) -> float:
        return sum(int(w[13]) + int(w[14]) for w in self._words_in("stat")) / os.sysconf("SC_CLK_TCK")

    def _words_in(self, name: str) -> Iterator[list[str]]:
        for one in Path("/proc").glob(f"[0-9]*/{name}"):
            try:
                if os.getpgid(int(one.parent.name)) == self.pid:
                    yield one.read_text().split()
            except (OSError, ValueError):
                continue


@dataclass
class Trial:
    """Asks, and writes down what is not as it should be. `slowest`: of the best tries."""

    web: Web
    caller: Caller
    wrong: dict[str, object] = field(default_factory=dict)
    asked: int = 0
    slowest: float = 0.0

    def refuses(self, name: str, door: Door, body: bytes, **headers: str) -> None:
        asked = door.headers_for(body) | headers
        for left in reversed(range(TRIES)):
            status, kind, seconds = self.caller.ask(door.method, door.path, body, asked)
            if seconds < AT_ONCE:
                break
            if not left:  # the machine is busy with other things: what counts is what the server itself does
                began = self.web.cpu_seconds()
                self.caller.ask(door.method, door.path, body, asked)
                seconds = self.web.cpu_seconds() - began
        self.asked += 1
        is_cut = status == 0 and len(body) > LARGE
        is_told = kind == "application/problem+json" or (door.path.endswith("/batch/") and kind == "application/json")
        if not is_cut and (status not in REFUSED or not is_told or seconds >= AT_ONCE):
            self.wrong[f"{door.name}: {name}"] = (status, kind, round(seconds, 3))
        self.slowest = max(self.slowest, seconds if len(body) < LARGE else 0)


@pytest.fixture
def live(transactional_db: None, live: APIClient) -> APIClient:
    return live


@pytest.fixture
def web(live: APIClient, tmp_path: Path) -> Iterator[Web]:
    with stack(tmp_path) as running:
        yield Web(running.web(), running.running["web"].pid)


def test_no_door_is_hurt_by_any_body(acme: Registration, live: APIClient, web: Web) -> None:
    ids = possessions(acme, live)
    hot, others = hot_doors(acme, ids["callback"]), list(other_doors(acme, ids))
    trial, before = Trial(web, Caller(web.url)), (Event.objects.count(), NotificationLog.objects.count())
    full = [door for door in hot if door.is_first_of_its_kind]
    few = {name: FRAGMENTS[name] for name in FEW}
    go_through(trial, full, WHOLE, FRAGMENTS)
    go_through(trial, [*hot, *others], {}, few)
    for door in full:
        for name, body in COMPRESSED.items():
            trial.refuses(f"compressed by {name}", door, body, **{"Content-Encoding": name})
        for kind in TYPES:
            trial.refuses(f"of type {kind[:60]!r}", door, GOOD, **{"Content-Type": kind})
    resident = web.resident_mb()  # with whatever a process keeps from its first time on
    go_through(trial, full, WHOLE, few)
    grown = web.resident_mb() - resident

    print(f"{trial.asked} bodies, slowest {trial.slowest * 1000:.0f} ms; {resident:.0f} MB and {grown:+.1f} MB")
    assert trial.wrong == {}
    assert len(others) >= 30
    assert (Event.objects.count(), NotificationLog.objects.count()) == before
    assert grown < 10


def go_through(trial: Trial, doors: list[Door], whole: Mapping[str, bytes], fragments: Mapping[str, bytes]) -> None:
    for door in doors:
        for name, body in whole.items():
            if not (door.is_signed and name == "empty"):
                trial.refuses(name, door, body)
        for name, fragment in fragments.items():
            trial.refuses(name, door, door.with_fragment(fragment))


def test_no_lie_about_a_length_is_believed(acme: Registration, web: Web) -> None:
    wrong = {}
    for path in ("/v1/notify/", "/api/events/", "/v1/notify/batch/", "/v1/callbacks/x/", "/v1/templates/"):
        for name, rest in HEADS.items():
            said = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: {acme.api_key}\r\n"
            request = said.encode() + b"Content-Type: application/json\r\n" + rest
            statuses, seconds = min((spoken(web.url, request) for _ in range(2)), key=lambda one: one[1])
            if any(not 400 <= status < 500 for status in statuses) or seconds > AT_ONCE * 2:
                wrong[f"{path}: {name}"] = statuses, round(seconds, 3)

    assert wrong == {}
    assert Caller(web.url).ask("GET", "/livez", b"", {})[0] == 200


def spoken(url: str, request: bytes) -> tuple[list[int], float]:
    """The statuses of what is answered until the server hangs up, which it may do at once, and the seconds it took."""
    at = urlsplit(url)
    began, heard = time.perf_counter(), b""
    with socket.create_connection((at.hostname, at.port), timeout=10) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            while piece := client.recv(65_536):
                heard += piece
        except OSError:  # it has hung up already
            pass
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3})", heard)], time.perf_counter() - began
