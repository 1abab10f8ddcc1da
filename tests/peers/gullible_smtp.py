"""An SMTP server that believes anything: each CR or LF ends a line, and each line that is a dot ends a mail.

Real servers have been like this, one way or another; what is smuggled past them is here a mail of its own.
"""

import asyncio
import re
from typing import cast

from tests.peers.server import Peer
from tests.peers.smtp import Mail

_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\n|\r(?=.))", re.DOTALL)  # a CR that came last may be half of a line end
_PATH = re.compile(rb"<([^>]*)>")


class GullibleSmtpPeer(Peer[Mail]):
    def knows(self, fault: str) -> bool:
        return False

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self.host, self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open[writer] = cast(asyncio.Task[None], asyncio.current_task())
        session, unread = _Session(self), b""
        writer.write(b"220 gullible.test\r\n")
        try:
            while read := await reader.read(65_536):
                unread += read
                while line := _LINE.match(unread):
                    unread = unread[line.end() :]
                    writer.write(session.answer_to(line[1]))
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            del self.open[writer]


class _Session:
    def __init__(self, peer: GullibleSmtpPeer) -> None:
        self._peer, self._number = peer, peer.connections
        self._sender, self._recipients = "", list[str]()
        self._content: list[bytes] | None = None

    def answer_to(self, line: bytes) -> bytes:
        """Empty within a mail."""
        if self._content is not None:
            return self._more(line)
        word, path = line[:4].upper(), _PATH.search(line)
        if word == b"MAIL":
            self._sender, self._recipients = _text(path), []
        elif word == b"RCPT":
            self._recipients.append(_text(path))
        elif word == b"DATA":
            self._content = []
            return b"354 go on\r\n"
        return b"250 2.0.0 as you like\r\n"

    def _more(self, line: bytes) -> bytes:
        assert self._content is not None
        if line.replace(b"\0", b"").rstrip() != b".":
            self._content.append(line.removeprefix(b"."))
            return b""
        content = b"\r\n".join([*self._content, b""])
        self._peer.record(Mail(self._sender, tuple(self._recipients), content, self._number))
        self._content = None
        return b"250 2.0.0 queued\r\n"


def _text(path: re.Match[bytes] | None) -> str:
    return path[1].decode("latin-1") if path else ""
