"""Names to addresses, within a deadline that getaddrinfo itself does not have."""

import queue
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address

from delivery_gateway.contract import Transient
from delivery_gateway.egress.addresses import Address

Resolve = Callable[[str, int], list[str]]
UNKNOWN = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def ask_system(host: str, port: int) -> list[str]:
    """Every address the system's resolver knows, in its order of preference."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def lookup(host: str, port: int, *, resolve: Resolve, seconds: float) -> list[Address]:
    """All addresses of `host`. Raises Transient: `dns_not_found`, `dns_failed` or `dns_timeout`.

    A lookup cannot be interrupted, so each has a thread of its own that may be left behind; the resolver's own
    time-out ends it, and the callers' concurrency bounds how many there are. Only new connections ask.
    """
    answer: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_ask, args=(resolve, host, port, answer), name="egress-lookup", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise Transient(f"Looking up {host} took longer than {seconds:g} s.", code="dns_timeout") from None
    if isinstance(found, OSError):
        is_unknown = isinstance(found, socket.gaierror) and found.errno in UNKNOWN
        code = "dns_not_found" if is_unknown else "dns_failed"
        raise Transient(f"{host} could not be looked up: {found.strerror or 'no answer'}.", code=code)
    return [ip_address(text) for text in found]


def _ask(resolve: Resolve, host: str, port: int, answer: "queue.SimpleQueue[list[str] | OSError]") -> None:
    try:
        answer.put(resolve(host, port))
    except OSError as error:
        answer.put(error)
    except UnicodeError:  # a label the system's codec will not take
        answer.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
