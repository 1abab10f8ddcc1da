"""Mail as text, written directly: Django's classes take twenty to forty times as long for the same few lines.

Always 7-bit, so that every server takes it; every line ends with CRLF and has at most 998 octets. There is no CR or LF
but in line ends, so nothing can be taken for the end of the mail that is not.
"""

import time
import uuid
from binascii import b2a_base64, b2a_qp
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from types import MappingProxyType

from delivery_gateway.channels.mail_headers import mailbox_field, read_mailbox, text_field, to_ascii

LINE_OCTETS = 998  # RFC 5322, 2.1.1
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\n"
NOTHING: Mapping[str, str] = MappingProxyType({})
_BOUNDARY = "=_"  # neither quoted-printable nor base64 can have it


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with its envelope. `content` has no dots doubled yet (RFC 5321, 4.5.2)."""

    sender: str
    recipient: str
    message_id: str
    content: bytes


class Letterhead:
    """What all mails of one sender have in common. Raises ValueError when nobody could send as `from_email`."""

    def __init__(self, from_email: str) -> None:
        display, address = read_mailbox(from_email)
        if not from_email.isprintable() or "@" not in address:
            raise ValueError(f"A sender looks like 'Shop <orders@example.com>', not {from_email!r}.")
        self.sender = to_ascii(address)
        self.domain = self.sender.rpartition("@")[2]
        self._from = mailbox_field("From", display, self.sender)

    def write(
        self,
        message_id: uuid.UUID,
        *,
        to: str,
        subject: str,
        text: str,
        html: str = "",
        extra: Mapping[str, str] = NOTHING,
    ) -> Letter:
        """`to` is one address that has been checked, `extra` are fields of ours. Raises UnicodeError for what no mail
        can carry.
        """
        recipient, identity = to_ascii(to), f"{message_id}@{self.domain}"
        head = (
            f"{self._from}\r\nTo: {recipient}\r\n{text_field('Subject', subject)}\r\n"
            f"Date: {_date(int(time.time()))}\r\nMessage-ID: <{identity}>\r\n"
            f"{_more(extra)}"
            "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        )
        body = _alternatives(text, html, f"{_BOUNDARY}{message_id.hex}") if html else _single(text)
        return Letter(self.sender, recipient, identity, head.encode("ascii") + body)


def _more(fields: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in fields.items()])


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second)


def _single(text: str) -> bytes:
    part = _part(b"plain", text)
    return part if part.endswith(b"\r\n") else part + b"\r\n"


def _alternatives(text: str, html: str, boundary: str) -> bytes:
    """Plain text first: readers show the last part that they understand (RFC 2046, 5.1.4)."""
    mark = boundary.encode()
    return b"\r\n".join(
        (
            b'Content-Type: multipart/alternative;\r\n boundary="%b"\r\n' % mark,
            b"--" + mark,
            _part(b"plain", text),
            b"--" + mark,
            _part(b"html", html),
            b"--" + mark + b"--\r\n",
        )
    )


def _part(subtype: bytes, text: str) -> bytes:
    encoding, content = _transfer(text)
    return b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: %b\r\n\r\n%b' % (
        subtype,
        encoding,
        content,
    )


def _transfer(text: str) -> tuple[bytes, bytes]:
    """As it stands where that is safe, else in the shorter of the two encodings."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    octets = text.encode()
    if _is_safe(octets):
        return b"7bit", octets.replace(b"\n", b"\r\n")
    quoted = b2a_qp(octets, istext=True).replace(b"\n", b"\r\n")
    packed = b2a_base64(octets.replace(b"\n", b"\r\n"), newline=False)
    if len(quoted) <= len(packed):
        return b"quoted-printable", quoted
    return b"base64", b"\r\n".join([packed[at : at + 76] for at in range(0, len(packed), 76)])


def _is_safe(octets: bytes) -> bool:
    """Whether `octets` are text that no server may change, and no line of them is taken for a boundary."""
    if octets.translate(None, _TEXT) or b"--=_" in octets:
        return False
    return len(octets) <= LINE_OCTETS or max(map(len, octets.split(b"\n"))) <= LINE_OCTETS
