"""The client: asks for messages at a steady rate, each with a key, and asks again with it until it hears a 202."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

THREADS = 16
PATIENCE = 20.0  # seconds for one answer
PAUSE = 0.25  # seconds before a request is sent again
GIVE_UP = 300.0  # seconds after which a request counts as never accepted


@dataclass(frozen=True)
class Shop:
    """Who asks: a tenant's key, and the addresses that its webhooks and its chat messages go to; to the latter the
    request's key is added, so that the receiver can tell one from another."""

    url: str
    tenant: str
    key: str
    hook: str
    chat: str


@dataclass(frozen=True)
class Request:
    """`messages`: how many must come of it."""

    path: str
    body: Mapping[str, Any]
    messages: int = 1


@dataclass(frozen=True)
class Answer:
    """`status` 0: no answer. `seconds` since the request."""

    status: int
    seconds: float
    at: float


@dataclass
class Load:
    """`accepted`: unix times of the first 202 for each key; `messages` must come of them. `ids` by key, as told."""

    shop: Shop
    record: Path
    count: int
    rate: float
    seed: int
    answers: list[Answer] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    messages: int = 0
    given_up: int = 0
    compose: Callable[[int, str, Shop, random.Random], Request] | None = None

    def __post_init__(self) -> None:
        self._numbers, self._lock = iter(range(self.count)), threading.Lock()
        self._file = self.record.open("a", buffering=1)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        self._began = time.monotonic()

    def start(self) -> "Load":
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()
        self._file.close()

    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    def _work(self) -> None:
        line = Line(self.shop)
        for number in self._turns():
            self._ask(line, number)

    def _turns(self) -> Iterator[int]:
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            time.sleep(max(0.0, self._began + number / self.rate - time.monotonic()))
            yield number

    def _ask(self, line: "Line", number: int) -> None:
        key, deadline = f"{self.record.stem}-{self.seed}-{number}", time.monotonic() + GIVE_UP
        asked = (self.compose or request)(number, key, self.shop, random.Random(f"{self.seed}:{number}"))
        while time.monotonic() < deadline:
            answer, told = line.post(asked.path, asked.body, key)
            self._note(answer, told, key)
            if answer.status == 202:
                with self._lock:
                    self.messages += asked.messages
                return
            time.sleep(PAUSE)
        self.given_up += 1

    def _note(self, answer: Answer, told: Mapping[str, Any], key: str) -> None:
        with self._lock:
            self.answers.append(answer)
            if answer.status == 202:
                self.accepted.append(answer.at)
                self.ids[key] = told.get("id") or told["event_id"]
                line = {"id": self.ids[key], "tenant": self.shop.tenant, "key": key, "at": answer.at}
                self._file.write(json.dumps(line) + "\n")


class Line:
    """One kept connection, opened again when it breaks."""

    def __init__(self, shop: Shop) -> None:
        parts = urlsplit(shop.url)
        self._shop = shop
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)

    def post(self, path: str, body: object, key: str) -> tuple[Answer, dict[str, Any]]:
        headers = {"Content-Type": "application/json", "X-API-KEY": self._shop.key, "Idempotency-Key": key}
        began, status, told = time.monotonic(), 0, {}
        try:
            self._connection.request("POST", path, json.dumps(body), headers)
            answer = self._connection.getresponse()
            text, status = answer.read(), answer.status
            with suppress(ValueError):
                told = json.loads(text)
        except (OSError, http.client.HTTPException):
            self._connection.close()
        return Answer(status, time.monotonic() - began, time.time()), told


def steady(scene: Any, record: Path, *, count: int, rate: float) -> Load:
    """The usual load on a scene."""
    return Load(scene.shop, record, count=count, rate=rate, seed=scene.seed)


def request(number: int, key: str, shop: Shop, chance: random.Random) -> Request:
    """Emails, webhooks, chat and in-app messages, and one event in nine that goes out on three channels."""
    kind = chance.choices(("email", "webhook", "slack", "in_app", "event"), (3, 3, 1, 1, 1))[0]
    user = f"u{number % 200}"
    if kind == "event":
        return Request("/api/events/", {"event_type": "CHAOS", "user_id": user, "payload": {"number": number}}, 3)
    to = {"email": f"n{number}@example.com", "webhook": shop.hook, "slack": f"{shop.chat}{key}"}
    who = {"user_id": user} if kind == "in_app" else {"to": to[kind]}
    return Request("/v1/notify/", {"channel": kind, "subject": f"Number {number}", "body": "Still there?", **who})
