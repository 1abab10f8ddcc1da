"""Mail and HTTP servers that take everything and count it, cheap enough not to be what is measured.

    python -m bench.sinks --smtp-port 2525 --http-port 8125 [--delay-ms 50]

`GET /count` on the HTTP port answers `{"smtp": n, "http": n, "last": unix time of the last arrival, "peak": m}`;
`?at_least=N&wait=S` holds the answer back until N have arrived in all, or S seconds have passed. `?delay_ms=D` sets
the delay. `peak` is how many senders waited for their answer at a time, since the delay was last set.
A port of 0 takes a free one; the line printed when ready names both: `{"smtp_port": n, "http_port": n}`.
"""

import argparse
import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

DATA_END = b"\r\n.\r\n"
CAPABILITIES = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
REPLIES = {b"EHLO": CAPABILITIES, b"DATA": b"354 go ahead\r\n", b"QUIT": b"221 bye\r\n"}
BACKLOG = 1024


@dataclasses.dataclass(slots=True)
class Waiter:
    at_least: int
    answer: Callable[[], None]
    timer: asyncio.TimerHandle


class Tally:
    """What has arrived, and who waits to hear of it. `delay`: seconds a provider would take to answer."""

    def __init__(self, delay: float = 0.0) -> None:
        self.smtp = self.http = 0
        self.last = 0.0
        self.delay = delay
        self.waiting = self.peak = 0
        self._waiters: list[Waiter] = []

    def set_delay(self, seconds: float) -> None:
        self.delay, self.peak = seconds, self.waiting

    def holds(self, number: int) -> None:
        """So many more senders wait for their answer; fewer, when negative."""
        self.waiting += number
        self.peak = max(self.peak, self.waiting)

    def arrived(self) -> None:
        self.last = time.time()
        if self._waiters:
            self._tell()

    def as_json(self) -> bytes:
        return json.dumps({"smtp": self.smtp, "http": self.http, "last": self.last, "peak": self.peak}).encode()

    def hold(self, answer: Callable[[], None], *, at_least: int, wait: float) -> None:
        """Calls `answer` once: when `at_least` have arrived, or after `wait` seconds."""
        loop = asyncio.get_running_loop()
        waiter = Waiter(at_least, answer, loop.call_later(wait, self._give_up, answer))
        self._waiters.append(waiter)
        self._tell()

    def _give_up(self, answer: Callable[[], None]) -> None:
        self._waiters = [waiter for waiter in self._waiters if waiter.answer is not answer]
        answer()

    def _tell(self) -> None:
        total = self.smtp + self.http
        due = [waiter for waiter in self._waiters if waiter.at_least <= total]
        self._waiters = [waiter for waiter in self._waiters if waiter.at_least > total]
        for waiter in due:
            waiter.timer.cancel()
            waiter.answer()


class Sink(asyncio.Protocol):
    """Bytes in, whole messages out; while an answer is delayed, what the client pipelined behind it waits."""

    transport: asyncio.Transport

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.received = b""
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._work()

    def step(self) -> bool:
        """Takes one unit off the buffer and answers it; False when a whole one has not arrived yet."""
        raise NotImplementedError

    def answer_later(self, answer: Callable[[], None]) -> None:
        """Answers after the sink's delay and reads no further before it."""
        if not self.tally.delay:
            answer()
            return
        self._paused = True
        self.tally.holds(1)
        asyncio.get_running_loop().call_later(self.tally.delay, self._resume, answer)

    def _resume(self, answer: Callable[[], None]) -> None:
        self._paused = False
        self.tally.holds(-1)
        answer()
        self._work()

    def _work(self) -> None:
        while not self._paused and self.step():
            pass


class SmtpSink(Sink):
    _in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(b"220 sink ESMTP\r\n")

    def step(self) -> bool:
        return self._message() if self._in_data else self._command()

    def _message(self) -> bool:
        padded = b"\r\n" + self.received  # so that an empty message ends like any other
        end = padded.find(DATA_END)
        if end < 0:
            return False
        self.received, self._in_data = padded[end + len(DATA_END) :], False
        self.answer_later(self._accepted)
        return True

    def _accepted(self) -> None:
        self.tally.smtp += 1
        self.tally.arrived()
        self.transport.write(b"250 taken\r\n")

    def _command(self) -> bool:
        line, found, rest = self.received.partition(b"\r\n")
        if not found:
            return False
        verb, self.received = line[:4].upper(), rest
        self._in_data = verb == b"DATA"
        self.transport.write(REPLIES.get(verb, b"250 ok\r\n"))
        if verb == b"QUIT":
            self.transport.close()
        return verb != b"QUIT"


def http_request(received: bytes) -> tuple[bytes, bytes] | None:
    """The head of a request in lower case, and what came after the whole of it; None until all of it has come."""
    end = received.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    head = received[:end].lower()
    _, found, rest = head.partition(b"\r\ncontent-length:")
    size = end + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
    return (head, received[size:]) if len(received) >= size else None


class HttpSink(Sink):
    def step(self) -> bool:
        request = http_request(self.received)
        if request is None:
            return False
        head, self.received = request
        if head.startswith(b"get "):
            self._count(head.split(b" ", 2)[1].decode())
        else:
            self.answer_later(self._accepted)
        return True

    def _accepted(self) -> None:
        self.tally.http += 1
        self.tally.arrived()
        self._reply(b"ok")

    def _count(self, address: str) -> None:
        query = dict(parse_qsl(urlsplit(address).query))
        if "delay_ms" in query:
            self.tally.set_delay(float(query["delay_ms"]) / 1000)
        self.tally.hold(
            lambda: self._reply(self.tally.as_json()),
            at_least=int(query.get("at_least", 0)),
            wait=float(query.get("wait", 0)),
        )

    def _reply(self, body: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def serve(*, smtp_port: int, http_port: int, delay: float) -> None:
    loop, tally = asyncio.get_running_loop(), Tally(delay)
    smtp = await loop.create_server(lambda: SmtpSink(tally), "127.0.0.1", smtp_port, backlog=BACKLOG)
    http = await loop.create_server(lambda: HttpSink(tally), "127.0.0.1", http_port, backlog=BACKLOG)
    ports = [server.sockets[0].getsockname()[1] for server in (smtp, http)]
    print(json.dumps({"smtp_port": ports[0], "http_port": ports[1]}), flush=True)
    await asyncio.gather(smtp.serve_forever(), http.serve_forever())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    given = parser.parse_args()
    try:
        asyncio.run(serve(smtp_port=given.smtp_port, http_port=given.http_port, delay=given.delay_ms / 1000))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
