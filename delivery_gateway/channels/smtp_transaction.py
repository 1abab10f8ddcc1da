"""One mail over an open SMTP connection (RFC 5321, 3.3), in two round trips where the server allows it (RFC 2920)."""

from dataclasses import dataclass
from typing import NamedTuple

from delivery_gateway.channels.mime import Letter
from delivery_gateway.channels.smtp_replies import Stage, refusal
from delivery_gateway.egress import Socket

REPLY_BYTES = 64 * 1024
READ_BYTES = 8 * 1024
CLOSING, GARBAGE = 421, -1
OVER = frozenset({CLOSING, GARBAGE})
STAGES: tuple[tuple[Stage, frozenset[int]], ...] = (
    ("sender", frozenset({250})),
    ("recipient", frozenset({250, 251})),
    ("content", frozenset({354})),
)


class Reply(NamedTuple):
    """GARBAGE for a code when the server did not speak SMTP."""

    code: int
    text: str


class Wire:
    """The socket and what has been read from it; serves smtplib as its file, so that no reply gets between two readers.

    A reply has no end by itself: lines beginning `250-` may go on for ever. ConnectionError after REPLY_BYTES.
    """

    def __init__(self, sock: Socket) -> None:
        self._sock = sock
        self._unread = b""
        self._left = REPLY_BYTES

    @property
    def has_unread(self) -> bool:
        """Whether the server has said more than was asked."""
        return bool(self._unread)

    def begin(self) -> None:
        """What follows is a new reply."""
        self._left = REPLY_BYTES

    def readline(self, limit: int = REPLY_BYTES) -> bytes:
        """With its line end; empty when the server has closed the connection. A longer line comes in pieces."""
        while not (end := self._unread.find(b"\n") + 1) and len(self._unread) < limit:
            read = self._sock.recv(READ_BYTES)
            if not read:
                return b""
            self._unread += read
        end = min(end or limit, limit)
        line, self._unread = self._unread[:end], self._unread[end:]
        self._left -= end
        if self._left < 0:
            raise ConnectionError("the reply does not end")
        return line

    def read(self) -> Reply:
        """The next reply, its lines joined. Raises OSError."""
        self.begin()
        line = self._line()
        if line[3:4] != b"-":
            return Reply(_code(line), line[4:].decode("utf-8", "replace").strip())
        texts = [line[4:].strip()]
        while line[3:4] == b"-" and _code(line) > 0:
            line = self._line()
            texts.append(line[4:].strip())
        return Reply(_code(line), b"\n".join(texts).decode("utf-8", "replace"))

    def write(self, octets: bytes) -> None:
        self._sock.sendall(octets)

    def close(self) -> None:
        """The socket is closed by whoever opened it."""

    def _line(self) -> bytes:
        line = self.readline()
        if line.endswith(b"\n"):
            return line
        raise ConnectionError("the reply does not end" if line else "the server has closed the connection")


@dataclass(slots=True, eq=False)
class Progress:
    """How far a mail has got.

    `is_usable`: whether the connection may carry another one, known when this one has been taken or refused.
    `has_left`: the server has ended the session, with a 421 or without a word.
    """

    is_mail_accepted: bool = False
    is_dot_written: bool = False
    is_usable: bool = False
    has_left: bool = False


@dataclass(slots=True, eq=False)
class Transaction:
    """Keeps `progress` up to date. `is_pipelined`, `takes_size`: what the server offers."""

    wire: Wire
    progress: Progress
    is_pipelined: bool = False
    takes_size: bool = False

    def hand_over(self, letter: Letter) -> str:
        """What the server answers to the whole mail. Raises DeliveryError when it refuses, OSError when it is gone."""
        try:
            (self._envelope_at_once if self.is_pipelined else self._envelope)(self._commands(letter))
            self.wire.write(_stuffed(letter.content))
            self.progress.is_dot_written = True
            reply = self.wire.read()
        except OSError:
            self.progress.has_left = True
            raise
        if reply.code != 250:
            self._refuse("content", reply)
        self.progress.is_usable = not self.wire.has_unread
        return f"{reply.code} {reply.text}"

    def _commands(self, letter: Letter) -> tuple[bytes, bytes, bytes]:
        size = f" SIZE={len(letter.content)}" if self.takes_size else ""
        return (
            f"MAIL FROM:<{letter.sender}>{size}\r\n".encode("ascii"),
            f"RCPT TO:<{letter.recipient}>\r\n".encode("ascii"),
            b"DATA\r\n",
        )

    def _envelope(self, commands: tuple[bytes, ...]) -> None:
        """Each command after the reply to the one before it."""
        for (stage, wanted), command in zip(STAGES, commands, strict=True):
            self.wire.write(command)
            reply = self.wire.read()
            if reply.code not in wanted:
                self._refuse(stage, reply)
            self.progress.is_mail_accepted = True

    def _envelope_at_once(self, commands: tuple[bytes, ...]) -> None:
        """All commands, then all replies: the first refusal counts, but the server goes on answering after it."""
        self.wire.write(b"".join(commands))
        for index, (stage, wanted) in enumerate(STAGES):
            reply = self.wire.read()
            if reply.code not in wanted:
                self._refuse(stage, reply, is_in_step=reply.code not in OVER and self._is_through(index))
            self.progress.is_mail_accepted = True

    def _is_through(self, refused: int) -> bool:
        """Reads what still answers the commands after that one; whether the server then waits for a command.

        A 354 although nobody is to get it is answered by an empty mail (RFC 2920, 3.1), unless the recipient was
        accepted: that one would get it.
        """
        try:
            codes = [self.wire.read().code for _ in STAGES[refused + 1 :]]
            if not codes or codes[-1] != 354:
                return OVER.isdisjoint(codes)
            if refused == 0 and codes[0] in STAGES[1][1]:
                return False
            self.wire.write(b".\r\n")
            return self.wire.read().code not in OVER
        except OSError:
            return False

    def _refuse(self, stage: Stage, reply: Reply, *, is_in_step: bool = True) -> None:
        """Raises what `reply` means; before it, makes sure that the next mail finds a server that waits for one."""
        self.progress.has_left = reply.code == CLOSING
        self.progress.is_usable = is_in_step and reply.code not in OVER and self._is_reset()
        raise refusal(reply.code, reply.text, stage)

    def _is_reset(self) -> bool:
        try:
            self.wire.write(b"RSET\r\n")
            return self.wire.read().code == 250 and not self.wire.has_unread
        except OSError:
            return False


def _code(line: bytes) -> int:
    return int(line[:3]) if line[:3].isdigit() else GARBAGE


def _stuffed(content: bytes) -> bytes:
    """With the final dot, and every other one that begins a line doubled."""
    return content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
