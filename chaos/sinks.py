"""A mail server and a web server that write down what arrives, and misbehave by a script.

    python -m chaos.sinks --record received.jsonl --seed 7 [--delay-ms 20]

Prints `{"smtp": port, "http": port}` when ready, then reads orders from standard input, one JSON object a line:
`{"shares": {"error": 0.3, "hang": 0.1}}` is the script from then on.

Each message is one line of the record, written before it is answered:
`{"id": …, "channel": …, "at": unix time, "taken": …, "fate": …}`.
A chat message does not say which notification it is; its address does: the `id` of what comes to /chat/… is the rest.
"""

import argparse
import asyncio
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.sinks import BACKLOG, DATA_END, Sink, SmtpSink, Tally, http_request
from chaos.faults import ERROR, HANG, LOST, OK, RESET, RETRY_AFTER, SLOW, SLOW_SECONDS, TAKEN, THROTTLED, Script
from chaos.proxy import lines, reset_transport

HTTP_WORDS = {
    OK: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ERROR: b"HTTP/1.1 500 Oh no\r\nContent-Length: 2\r\n\r\nno",
    THROTTLED: b"HTTP/1.1 429 Slowly\r\nRetry-After: %d\r\nContent-Length: 2\r\n\r\nno" % RETRY_AFTER,
}
SMTP_WORDS = {OK: b"250 taken\r\n", ERROR: b"451 not now\r\n", THROTTLED: b"452 too many of you\r\n"}
CHAT = b"/chat/"


@dataclass
class Book:
    """The record, and the script that decides."""

    path: Path
    script: Script
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def enter(self, identity: str, channel: str) -> str:
        """Writes the message down; its fate."""
        self.calls[identity] += 1
        fate = self.script.fate(identity, self.calls[identity])
        line = {"id": identity, "channel": channel, "at": time.time(), "taken": fate in TAKEN, "fate": fate}
        os.write(self._file, json.dumps(line).encode() + b"\n")
        return fate


class Misbehaving(Sink):
    """Answers as the script wants it. `words` by fate; what has none is left without an answer."""

    words: dict[str, bytes]
    book: Book

    def meet(self, identity: str, channel: str) -> None:
        fate = self.book.enter(identity, channel)
        if fate == HANG:
            self._paused = True
        elif fate == RESET:
            reset_transport(self.transport)
        elif fate == LOST:
            self.transport.close()
        elif fate == SLOW:
            self._paused = True
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._resume, self._say(OK))
        else:
            self.answer_later(self._say(fate))

    def _say(self, fate: str) -> Callable[[], None]:
        return lambda: self.transport.write(self.words[fate])


class Mail(Misbehaving, SmtpSink):
    words = SMTP_WORDS

    def __init__(self, tally: Tally, book: Book) -> None:
        super().__init__(tally)
        self.book = book

    def _message(self) -> bool:
        padded = b"\r\n" + self.received
        end = padded.find(DATA_END)
        if end < 0:
            return False
        message, self.received, self._in_data = padded[:end], padded[end + len(DATA_END) :], False
        head = message.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
        self.meet(identity_in(head, b"message-id:"), "email")
        return True


class Hooks(Misbehaving):
    words = HTTP_WORDS

    def __init__(self, tally: Tally, book: Book) -> None:
        super().__init__(tally)
        self.book = book

    def step(self) -> bool:
        request = http_request(self.received)
        if request is None:
            return False
        head, self.received = request
        path = head.split(b" ", 2)[1]
        if path.startswith(CHAT):
            self.meet(path.removeprefix(CHAT).decode(), "slack")
        else:
            self.meet(identity_in(head.split(b"\r\n"), b"webhook-id:"), "webhook")
        return True


def identity_in(head: Iterable[bytes], header: bytes) -> str:
    """The notification's id; a new one for what names none, which the audit will not know."""
    for line in head:
        if line.startswith(header):
            with suppress(ValueError):
                return str(uuid.UUID(line[len(header) :].strip().strip(b"<>").partition(b"@")[0].decode()))
    return str(uuid.uuid4())


async def serve(book: Book, delay: float) -> None:
    loop, tally = asyncio.get_running_loop(), Tally(delay)
    mail = await loop.create_server(lambda: Mail(tally, book), "127.0.0.1", 0, backlog=BACKLOG)
    hooks = await loop.create_server(lambda: Hooks(tally, book), "127.0.0.1", 0, backlog=BACKLOG)
    ports = [server.sockets[0].getsockname()[1] for server in (mail, hooks)]
    print(json.dumps({"smtp": ports[0], "http": ports[1]}), flush=True)
    async for line in await lines():
        book.script = replace(book.script, **json.loads(line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=20.0)
    given = parser.parse_args()
    asyncio.run(serve(Book(given.record, Script(given.seed)), given.delay_ms / 1000))


if __name__ == "__main__":
    main()
