"""The product as in production, with a canary where nothing may ever arrive."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from delivery_gateway.egress import SMTP_PORTS, WEB_PORTS, Egress, client, door
from delivery_gateway.registry import forget_providers
from tests.corpora.destinations import NAMES
from tests.corpora.resolving import Names, connections_tried
from tests.peers.http_server import HttpPeer
from tests.registered import acme, api

__all__ = ("acme", "api")


@dataclass
class Canary:
    """Two listeners on one port of loopback, v4 and v6. `tried`: where this process wanted to connect to."""

    peers: tuple[HttpPeer, ...]
    names: Names
    tried: list[tuple[str, int]]

    @property
    def port(self) -> int:
        return self.peers[0].port

    @property
    def connections(self) -> int:
        return sum(peer.connections for peer in self.peers)


@pytest.fixture
def canary(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """Nothing is allowed but the public internet, over http too; the canary's port counts as a usual one, so that
    nothing but the address is in the way.
    """
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = [], True
    redis = urlsplit(settings.REDIS_URL or "").port or 0
    with HttpPeer() as four, HttpPeer(host="::1", port=four.port) as six, connections_tried(but=redis) as tried:
        monkeypatch.setattr(client, "WEB_PORTS", WEB_PORTS | {four.port})
        monkeypatch.setitem(cast(dict[str, Any], Egress.open_socket.__kwdefaults__), "ports", SMTP_PORTS | {four.port})
        monkeypatch.setattr(socket, "getaddrinfo", names := Names(NAMES))
        _forget()
        yield Canary((four, six), names, tried)
        _forget()


def _forget() -> None:
    """Ways out that were made under other settings."""
    forget_providers()
    door.cache_clear()
