"""Plays an SMTP server reply by reply, for what no well-behaved one would say (aiosmtpd speaks correctly)."""

import asyncio
from typing import cast

from tests.peers.server import Peer

USUAL = {
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 bye",
}
EMPTY = "."


class TalkingPeer(Peer[str]):
    """`replies`: what to say to each command, to a mail (`…`) and to one without a line (`.`); `drop` cuts there.

    `received`: the commands and mails, each in one line. While `is_patient`, nothing is answered before MAIL, RCPT and
    DATA are all there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_patient = True
        self.replies = dict(USUAL)
        self.offers = ["PIPELINING", "SIZE 1000000"]

    def knows(self, fault: str) -> bool:
        return False  # `replies` are the script

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self.host, self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open[writer] = cast(asyncio.Task[None], asyncio.current_task())
        try:
            writer.write(b"220 peer.test\r\n")
            while line := (await reader.readline()).decode().strip():
                verb = line[:4].upper()
                self.record(line)
                if self.is_patient and verb in ("MAIL", "RCPT"):
                    rest = [(await reader.readline()).decode().strip() for _ in range(2)]
                    for command in rest:
                        self.record(command)
                    await self._answer_all([line, *rest], reader, writer)
                else:
                    await self._answer_all([line], reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.open.pop(writer, None)

    async def _answer_all(self, lines: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            reply = self._reply_to(line[:4].upper())
            if reply == "drop":
                writer.transport.abort()
                raise ConnectionError
            writer.write(reply.encode() + b"\r\n")
            if reply.startswith("421"):
                await writer.drain()
                raise ConnectionError
            if line == "DATA" and reply.startswith("354"):
                text = await self._mail(reader)
                await self._answer_all([text], reader, writer)

    async def _mail(self, reader: asyncio.StreamReader) -> str:
        text = await reader.readline()
        if text != b".\r\n":
            text += await reader.readuntil(b"\r\n.\r\n")
        what = EMPTY if text == b".\r\n" else "…"
        self.record(what)
        return what

    def _reply_to(self, verb: str) -> str:
        if verb == "EHLO":
            return "\r\n".join(["250-peer.test", *(f"250-{word}" for word in self.offers), "250 HELP"])
        return self.replies.get(verb, "250 2.0.0 taken")
