"""Just enough HTTP/1.1 to load a server without costing a core: encode a POST, frame its answer."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Target:
    """What is posted again and again. `{i}` in the body becomes the request's number (modulo `modulo`, when set)."""

    url: str
    path: str
    body: str
    key: str
    modulo: int = 0

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def encoder(self) -> Callable[[int], bytes]:
        """A function from a request's number to its bytes; the body is split once, not searched each time."""
        host, port = self.address
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {host}:{port}\r\nX-API-KEY: {self.key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        pieces = self.body.encode().split(b"{i}")

        def encode(number: int) -> bytes:
            body = str(number % self.modulo if self.modulo else number).encode().join(pieces)
            return b"%s%d%s%s" % (head, len(body), HEAD_END, body)

        return encode


@dataclass(frozen=True)
class Answer:
    """The first whole answer in a buffer: its status, the bytes it took, and whether the server hangs up after it."""

    status: int
    size: int
    closes: bool


def first_answer(received: bytes) -> Answer | None:
    """None while the answer is not complete. An answer without a length or chunks is taken to have no body."""
    head_end = received.find(HEAD_END)
    if head_end < 0:
        return None
    head = received[:head_end].lower()
    end = _body_end(head, received, head_end + len(HEAD_END))
    if end is None:
        return None
    return Answer(status=int(head[9:12]), size=end, closes=b"\r\nconnection: close" in head)


def _body_end(head: bytes, received: bytes, start: int) -> int | None:
    if b"\r\ntransfer-encoding: chunked" in head:
        return _chunks_end(received, start)
    _, found, rest = head.partition(b"\r\ncontent-length:")
    end = start + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
    return end if len(received) >= end else None


def _chunks_end(received: bytes, at: int) -> int | None:
    while (line_end := received.find(b"\r\n", at)) >= 0:
        size = int(received[at:line_end].split(b";")[0], 16)
        at = line_end + 2 + size + 2
        if len(received) < at:
            return None
        if not size:
            return at
    return None
