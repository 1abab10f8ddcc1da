"""Header fields of a mail: folded as RFC 5322 says, encoded as RFC 2047 says.

What comes out is printable ASCII and line ends that are followed by a space, whatever went in; so no text can become
a second header. A reader that undoes folding and encoding has exactly the text again.
"""

from binascii import b2a_base64
from email.header import decode_header, make_header
from email.utils import parseaddr
from re import compile as pattern

LINE = 76  # characters where an encoded word is on the line (RFC 2047, section 2); RFC 5322 asks for 78 at most
WORD_BYTES = 39  # in an encoded word: with a name of ten letters before it, the line has 76 characters
PHRASE = 60  # a longer name is encoded, which can be folded
_ATOMS = pattern(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_SPECIAL = pattern(r'(["\\])')


def text_field(name: str, text: str) -> str:
    """Such as Subject. Raises UnicodeEncodeError for a lone surrogate."""
    line = f"{name}: {text}"
    if _is_plain(text):
        if len(line) <= LINE:
            return line
        if folded := _folded(line, first=len(name) + 2):
            return folded
    return f"{name}: {_encoded(text)}"


def mailbox_field(name: str, display: str, address: str) -> str:
    """Such as From; `address` is ASCII and needs no quotes of ours."""
    if not display:
        return f"{name}: {address}"
    phrase = _encoded(display)
    if len(display) <= PHRASE and _is_plain(display):
        phrase = display if _ATOMS.fullmatch(display) else '"' + _SPECIAL.sub(r"\\\1", display) + '"'
    last_line = f"{name}: {phrase}".rpartition("\n")[2]
    gap = " " if len(last_line) + len(address) + 3 <= LINE else "\r\n "
    return f"{name}: {phrase}{gap}<{address}>"


def read_mailbox(text: str) -> tuple[str, str]:
    """Name and address in 'Shop <orders@example.com>'; the name may be encoded already. Empty where there is none."""
    display, address = parseaddr(text)
    return str(make_header(decode_header(display))) if "=?" in display else display, address


def to_ascii(address: str) -> str:
    """The address with its domain in Punycode. Raises UnicodeError for any other letter beyond ASCII."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"


def _is_plain(text: str) -> bool:
    """Whether a reader shows these characters as they stand: it may make one space of two, and decode `=?`."""
    return text.isascii() and text.isprintable() and "  " not in text and "=?" not in text and text == text.strip(" ")


def _folded(line: str, *, first: int) -> str:
    """Broken before spaces, in the first line not before index `first`; empty when a word is longer than a line."""
    lines = []
    while len(line) > LINE:
        at = line.rfind(" ", first, LINE + 1)
        if at < 0:
            return ""
        lines.append(line[:at])
        line, first = line[at:], 1
    return "\r\n".join([*lines, line])


def _encoded(text: str) -> str:
    """Encoded words, none of which ends inside a character."""
    octets, words, start = text.encode(), [], 0
    while start < len(octets):
        end = min(start + WORD_BYTES, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        words.append(f"=?utf-8?b?{b2a_base64(octets[start:end], newline=False).decode()}?=")
        start = end
    return "\r\n ".join(words)
