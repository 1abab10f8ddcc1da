"""A client of server-sent events, in a thread of its own, as a page is one."""

import http.client
import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.flow.stack import wait_until

PATH = "/v1/inbox/stream/"


@dataclass(frozen=True)
class Event:
    name: str
    data: dict[str, Any]
    version: int | None

    @property
    def unread(self) -> int:
        return int(self.data["counts"]["unread"])


@dataclass
class Listener:
    """`status` is 0 until there is an answer; `is_over` once the stream has ended."""

    url: str
    token: str
    last: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    problem: dict[str, Any] = field(default_factory=dict)
    answer_headers: Any = None
    events: list[Event] = field(default_factory=list)
    is_over: bool = False

    def __enter__(self) -> "Listener":
        parts = urlsplit(self.url)
        self._line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        last = {} if self.last is None else {"Last-Event-ID": str(self.last)}
        self._line.request("GET", PATH, headers={"Authorization": f"Bearer {self.token}"} | last | self.headers)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_until(lambda: self.status, seconds=20, what="an answer")
        return self

    def __exit__(self, *_: object) -> None:
        if self._line.sock is not None:
            self._line.sock.shutdown(2)
        self._line.close()

    def until(self, number: int, *, seconds: float = 20.0) -> list[Event]:
        wait_until(lambda: len(self.events) >= number, seconds=seconds, what=f"event {number} of {self.events}")
        return self.events

    def _read(self) -> None:
        try:
            answer = self._line.getresponse()
            self.answer_headers = answer.headers
            if answer.status != 200:
                self.problem = json.loads(answer.read())
            self.status = answer.status
            lines: dict[str, str] = {}
            while answer.status == 200 and (line := answer.readline()):
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if value:
                    lines[name] = value
                elif "event" in lines:
                    version = int(lines["id"]) if "id" in lines else None
                    self.events.append(Event(lines["event"], json.loads(lines["data"]), version))
                    lines = {}
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass  # we hung up, or they did
        finally:
            self.is_over = True
