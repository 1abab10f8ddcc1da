"""Plays the system's resolver at its edge, and writes down every connection that this process tries to make."""

import errno
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import pytest

NAME = re.compile("[g-wyz]")  # beyond the letters that a number may have
_ask_system = socket.getaddrinfo
_connect = socket.socket.connect


class Names:
    """`socket.getaddrinfo` for names of a table; nobody outside is ever asked. Forms of addresses go to the system."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self.answers = {name: list(lists) for name, lists in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if lists := self.answers.get(name.lower()):
            self.asked.append(name)
            found = lists.pop(0) if len(lists) > 1 else lists[0]
            return [entry for address in found for entry in _entries(address, port)]
        if NAME.search(name.lower()) and "localhost" not in name.lower():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return _ask_system(host, port, *args, **kwargs)


def _entries(address: str, port: Any) -> list[tuple[Any, ...]]:
    literal, _, zone = address.partition("%")
    if ip_address(literal).version == 4:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
    return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 1 if zone else 0))]


@contextmanager
def connections_tried(*, but: int = 0) -> Iterator[list[tuple[Any, ...]]]:
    """Address and port of each that this process tries to make, in whichever thread, but for those to port `but`.

    Loopback can be reached, and nothing else: no test talks to somebody's real server.
    """
    tried: list[tuple[Any, ...]] = []

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[1] != but:
            tried.append(address[:2])
            if not ip_address(str(address[0]).partition("%")[0]).is_loopback:
                raise OSError(errno.ENETUNREACH, "Network is unreachable")
        _connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield tried
