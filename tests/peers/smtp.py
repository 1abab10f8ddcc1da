"""Plays an SMTP server (aiosmtpd), and every way one can go wrong. One script word for each mail, or connection.

    ok                         taken
    STAGE:REPLY                that reply instead of ours: `rcpt:550 5.1.1 no such user`
    STAGE:drop, STAGE:hang     there the connection is cut, or nothing more is said
    STAGE:endless              there a reply begins that does not end

The stages: greet, ehlo, auth, mail, rcpt, data (before the content), dot (after all of it).
"""

# ruff: noqa: N802 - aiosmtpd finds its hooks by these names

import asyncio
import email.policy
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.peers.server import OK, Peer

STAGES = ("greet", "ehlo", "auth", "mail", "rcpt", "data", "dot")


@dataclass(frozen=True)
class Mail:
    mail_from: str
    rcpt_tos: tuple[str, ...]
    content: bytes
    connection: int  # 1 for the peer's first connection, …
    user: str = ""

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


class SmtpPeer(Peer[Mail]):
    """`users`: name → password; empty, nobody logs in. With `starttls` that context is offered after EHLO.

    `is_pipelined`: whether commands may come before the replies to earlier ones. `trickle_seconds`: the pause before
    each byte of each reply.
    """

    def __init__(
        self, *, starttls: Any = None, users: dict[str, str] | None = None, is_pipelined: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.starttls, self.users, self.is_pipelined = starttls, users or {}, is_pipelined
        self.trickle_seconds = 0.0

    def knows(self, fault: str) -> bool:
        return fault == OK or fault.partition(":")[0] in STAGES

    async def listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: _Session(self), self.host, self.port, ssl=self.tls)

    def drop_idle(self, reply: str = "421 4.4.2 idle for too long") -> None:
        """Ends every open session, as a server does with a silent client."""
        asyncio.run_coroutine_threadsafe(self._drop_idle(reply), self._loop).result(5)

    async def _drop_idle(self, reply: str) -> None:
        for session in list(self.open):
            session.end(reply)


class _Handler:
    """aiosmtpd's hooks: each asks the session whether the script has something to say at that stage."""

    async def handle_EHLO(
        self, server: "_Session", session: Session, envelope: Envelope, name: str, replies: list[str]
    ):
        session.host_name = name
        reply = await server.fault_at("ehlo")
        offered = ["250-PIPELINING"] if server.peer.is_pipelined else []
        return [reply] if reply else replies[:1] + offered + replies[1:]

    async def handle_MAIL(self, server: "_Session", session: Session, envelope: Envelope, address: str, options: list):
        reply = await server.fault_at("mail")
        envelope.mail_from = None if reply else address
        return reply or "250 2.1.0 sender ok"

    async def handle_RCPT(self, server: "_Session", session: Session, envelope: Envelope, address: str, options: list):
        reply = await server.fault_at("rcpt")
        if not reply:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 recipient ok"

    async def handle_DATA(self, server: "_Session", session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        mail = Mail(str(envelope.mail_from), tuple(envelope.rcpt_tos), content, server.number, server.user)
        if not server.refuses_at("dot"):
            server.peer.record(mail)  # also when the client never hears of it
        reply = await server.fault_at("dot")
        server.fault = None
        return reply or f"250 2.0.0 Ok: queued as {len(server.peer.received):08X}"


class _Session(SMTP):
    """One connection. `fault` is the word for the mail under way."""

    def __init__(self, peer: SmtpPeer) -> None:
        super().__init__(
            _Handler(),
            hostname="peer.test",
            loop=peer._loop,
            tls_context=peer.starttls,
            authenticator=self._check_login,
            auth_require_tls=not peer.users,
        )
        self.peer, self.user, self.number = peer, "", 0
        self.fault: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.number:  # STARTTLS makes the connection a second time
            self.peer.connections += 1
            self.number = self.peer.connections
        super().connection_made(transport)
        self.peer.open[self] = cast(asyncio.Task[None], self._handler_coroutine)

    def connection_lost(self, error: Exception | None) -> None:
        self.peer.open.pop(self, None)
        super().connection_lost(error)

    @property
    def wire(self) -> asyncio.Transport:
        return cast(asyncio.Transport, self.transport)

    def end(self, reply: str) -> None:
        self.wire.write(f"{reply}\r\n".encode())
        self.wire.close()

    async def fault_at(self, stage: str) -> str:
        """What to reply instead of the usual; empty when the script has nothing for this stage."""
        what = self._planned_at(stage)
        if not what:
            return ""
        self.fault = None
        if what == "drop":
            self.wire.abort()
            await self.peer.hang()
        if what == "hang":
            await self.peer.hang()
        if what == "endless":
            while not self.wire.is_closing():
                await self.push("250-and another thing " + "x" * 400)
        return what

    def refuses_at(self, stage: str) -> bool:
        """Whether the script has a plain reply there, and not just trouble with the line."""
        return self._planned_at(stage) not in ("", "drop", "hang", "endless")

    def _planned_at(self, stage: str) -> str:
        if self.fault is None:
            self.fault = self.peer.next_fault()
        where, _, what = self.fault.partition(":")
        return what if where == stage else ""

    async def push(self, status: Any) -> None:
        line = status.encode() if isinstance(status, str) else status
        if not self.peer.trickle_seconds:
            await super().push(line)
        for index in range(len(line) if self.peer.trickle_seconds else 0):
            await asyncio.sleep(self.peer.trickle_seconds)
            self.wire.write(line[index : index + 1])

    async def _handle_client(self) -> None:
        try:
            if self.peer.peek_fault().startswith("greet:"):
                self.end(await self.fault_at("greet"))
            else:
                await super()._handle_client()
        finally:
            for transport in (self.transport, self._original_transport):
                if transport is not None:
                    cast(asyncio.Transport, transport).close()
            self.loop.call_soon(self.peer.open.pop, self, None)  # STARTTLS, when it fails, loses no connection

    async def smtp_AUTH(self, arg: str) -> None:
        reply = await self.fault_at("auth")
        await (self.push(reply) if reply else super().smtp_AUTH(arg))

    async def smtp_DATA(self, arg: str) -> None:
        is_expected = self.envelope is not None and bool(self.envelope.rcpt_tos)  # not when it came with a refused RCPT
        reply = await self.fault_at("data") if is_expected else ""
        await (self.push(reply) if reply else super().smtp_DATA(arg))

    def _check_login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        name, password = data.login.decode(), data.password.decode()
        self.user = name
        return AuthResult(success=self.peer.users.get(name) == password, handled=False)
