"""Reads a URL or a host once; whoever connects uses the parts found here, so no second parser can disagree."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from delivery_gateway.egress.addresses import Address

DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[!-~]+")
_NETLOC = re.compile(r"(?:\[[^\[\]]+\]|[^\[\]:]*)(?::\d*)?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ENDS_IN_A_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)$")


class Unreadable(ValueError):
    """Not a destination we go to. The message is half a sentence, to follow the name of the host."""


@dataclass(frozen=True, slots=True)
class Destination:
    scheme: str
    host: str  # a name or an address, without brackets, in lower case
    port: int
    target: str  # path and query


@lru_cache(maxsize=2_048)
def read_url(url: str) -> Destination:
    """The parts of an http or https URL. Raises Unreadable; never repeats the URL, which may carry a secret."""
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise Unreadable("has characters that must be percent-encoded (an international name goes in as xn--…)")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreadable("is not a URL") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise Unreadable("must begin with https:// (or http:// where the operator allows it)")
    if "@" in parts.netloc:
        raise Unreadable("must not carry a user name or password")
    if not _NETLOC.fullmatch(parts.netloc):
        raise Unreadable("is not a URL")
    host = parts.hostname or ""
    read_host(host)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port, target)


def read_host(host: str) -> Address | None:
    """The address when `host` is a literal, None when it is a name. Raises Unreadable.

    What a resolver would read as an address, but no person would (2130706433, 0x7f.1, 127.1, 0177.0.0.1), is refused,
    and so are zone ids and the trailing dot that would slip past a comparison of names.
    """
    if not host:
        raise Unreadable("names no host")
    if host.endswith("."):
        raise Unreadable("ends in a dot; leave it out")
    if ":" in host or _ENDS_IN_A_NUMBER.search(host):
        return _read_literal(host)
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise Unreadable("is not a host name")
    return None


def _read_literal(host: str) -> Address:
    try:
        if "%" in host:
            raise ValueError
        return ip_address(host)
    except ValueError:
        raise Unreadable("is an unusual way to write an address; write it as 192.0.2.1 or 2001:db8::1") from None
