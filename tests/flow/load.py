"""Clients that post messages to a running product, as fast as it answers or by a timetable."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

NOW = 0.0
TO_ANN = {"channel": "email", "to": "ann@example.com", "subject": "Hello", "body": "Hello"}

Message = dict[str, Any]


class Door:
    """Posts one message after another, over one connection, and remembers how each was answered."""

    def __init__(self, base: str, key: str, message: Callable[[], Message] = TO_ANN.copy) -> None:
        self.connection = HTTPConnection(urlsplit(base).netloc, timeout=10)
        self.headers = {"X-API-KEY": key, "Content-Type": "application/json"}
        self.message = message
        self.statuses: list[int] = []
        self.seconds: list[float] = []

    def post(self, *, planned_at: float | None = None) -> None:
        """`planned_at` is when it should have begun: a client that is held up counts from there."""
        body = json.dumps(self.message())
        began = planned_at or time.monotonic()
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

    def post_at(self, moments: Iterable[float]) -> "Door":
        """Once at each moment of `time.monotonic()`; what is late is caught up on."""
        with closing(self.connection):
            for moment in moments:
                time.sleep(max(0.0, moment - time.monotonic()))
                self.post(planned_at=moment)
        return self


def under_load(doors: Sequence[Door], *, seconds: float) -> Sequence[Door]:
    """All at once, each as fast as it is answered."""
    ends_at = time.monotonic() + seconds
    with ThreadPoolExecutor(len(doors)) as pool:
        return list(pool.map(lambda door: door.post_until(ends_at), doors))


def under_steady_load(doors: Sequence[Door], *, rate: float, seconds: float) -> Sequence[Door]:
    """`rate` posts a second by all doors together, evenly spread, however long each answer takes."""
    began, count = time.monotonic(), len(doors)
    moments = [began + number / rate for number in range(int(rate * seconds))]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda place: doors[place].post_at(moments[place::count]), range(count)))


def percentile(seconds: Iterable[float], percent: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def p99(doors: Iterable[Door]) -> float:
    return percentile((one for door in doors for one in door.seconds), 99)


def slowest(doors: Iterable[Door]) -> float:
    return max(max(door.seconds) for door in doors)


def all_statuses(doors: Iterable[Door]) -> set[int]:
    return {status for door in doors for status in door.statuses}


def posts(doors: Iterable[Door]) -> int:
    return sum(len(door.statuses) for door in doors)
