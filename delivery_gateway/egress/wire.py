"""A request as the bytes that go out: head and body in one piece, so that they are one write and one packet."""

import re
from collections.abc import Mapping

from delivery_gateway.egress.destination import DEFAULT_PORTS, Destination

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def write_post(destination: Destination, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Raises ValueError for a header that HTTP/1.1 (RFC 9110, 5) does not allow."""
    lines = [f"POST {destination.target} HTTP/1.1", f"Host: {_host(destination)}", f"Content-Length: {len(body)}"]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError("a header has characters that HTTP does not allow")
        lines.append(f"{name}: {value}")
    lines.append("\r\n")
    return "\r\n".join(lines).encode("latin-1") + body


def _host(destination: Destination) -> str:
    host = f"[{destination.host}]" if ":" in destination.host else destination.host
    return host if destination.port == DEFAULT_PORTS[destination.scheme] else f"{host}:{destination.port}"
