"""The HTTP half of a peer: HTTP/1.1 with keep-alive, and every way an HTTP server can go wrong.

ok                  what the provider says to this request
500, 404, …         that status, in the provider's words; `429:2` adds Retry-After: 2
reset, close        the request is read, then the connection is reset, or closed, without a word
silent_close        a good answer, then the kept connection is closed without notice
hang                the request is read, then nothing; slow:N what the provider says, after N seconds
trickle             a header that never ends, a byte at a time; trickle_body: a good status, then a body like that;
                        trickle_open: the same, with no length promised
    half_headers        a good status, the first header, and the end of the connection
redirect:URL        302 to URL
huge:N              a good status and N bytes; truncate: a good status and half of what was promised
headers             headers without end; gzip: a compressed answer nobody asked for; garbage: not HTTP
"""

import asyncio
import contextlib
import gzip
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

from tests.peers.server import OK, Peer

TRICKLE_SECONDS = 0.01


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    connection: int  # 1 for the peer's first connection, …

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> "Answer":
        return cls(status, json.dumps(content), {"Content-Type": "application/json", **(headers or {})})

    def as_bytes(self) -> bytes:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class HttpPeer(Peer[Request]):
    """Subclasses say what the provider answers (`answer`) and how it words its refusals (`refuse`)."""

    path = "/"

    @property
    def base_url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return self.base_url + self.path

    def answer(self, request: Request) -> Answer:
        return Answer()

    def refuse(self, status: int) -> Answer:
        return Answer(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))

    def knows(self, fault: str) -> bool:
        word = fault.partition(":")[0]
        return word == OK or word.isdecimal() or hasattr(self, f"fault_{word}")

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self.host, self.port, ssl=self.tls)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self.open[writer] = cast(asyncio.Task[None], asyncio.current_task())
        try:
            while request := await _read(reader, number):
                self.record(request)
                if not await self._reply(self.next_fault(), request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            del self.open[writer]

    async def _reply(self, fault: str, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection is kept."""
        word, _, detail = fault.partition(":")
        if word == OK or word.isdecimal():
            answer = self.answer(request) if word == OK else self.refuse(int(word))
            extra = {"Retry-After": detail} if detail else {}
            writer.write(Answer(answer.status, answer.body, {**answer.headers, **extra}).as_bytes())
            await writer.drain()
            return True
        await getattr(self, f"fault_{word}")(request, writer, detail)
        return False

    async def fault_reset(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def fault_close(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        """Nothing: the caller closes."""

    async def fault_silent_close(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        writer.write(self.answer(request).as_bytes())
        await writer.drain()

    async def fault_hang(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        await self.hang()

    async def fault_slow(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        await asyncio.sleep(float(detail))
        writer.write(self.answer(request).as_bytes())
        await writer.drain()

    async def fault_trickle(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        await _drip(writer, b"HTTP/1.1 200 OK\r\nX-Slow: ")

    async def fault_trickle_body(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        status = detail or "200"
        await _drip(writer, f"HTTP/1.1 {status} Slow\r\nContent-Length: 1000000\r\n\r\n".encode())

    async def fault_trickle_open(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        await _drip(writer, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")

    async def fault_half_headers(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-First: 1\r\n")
        await writer.drain()

    async def fault_redirect(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        writer.write(Answer(302, "", {"Location": detail}).as_bytes())
        await writer.drain()

    async def fault_huge(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        size = int(detail)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // 65536 + 1):
            writer.write(b"x" * 65536)
            await writer.drain()

    async def fault_truncate(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        status = detail or "200"
        writer.write(f"HTTP/1.1 {status} Half\r\nContent-Length: 1000\r\n\r\n".encode() + b"x" * 500)
        await writer.drain()

    async def fault_headers(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 60_000 + b"\r\n")
            await writer.drain()

    async def fault_gzip(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        writer.write(Answer(200, gzip.compress(bytes(10_000_000)), {"Content-Encoding": "gzip"}).as_bytes())
        await writer.drain()

    async def fault_garbage(self, request: Request, writer: asyncio.StreamWriter, detail: str) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()


async def _drip(writer: asyncio.StreamWriter, start: bytes) -> None:
    writer.write(start)
    while True:
        await asyncio.sleep(TRICKLE_SECONDS)
        writer.write(b"x")
        await writer.drain()


async def _read(reader: asyncio.StreamReader, connection: int) -> Request | None:
    """The next request; None at the end of the connection. What has no Content-Length has no body."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = request_line.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, connection)
