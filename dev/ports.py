"""Free TCP ports on loopback."""

import json
import socket
from collections.abc import Iterable
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    """A port nobody uses, chosen by the system."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen there now; connections of an earlier one that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def kept_ports(path: Path, names: Iterable[str]) -> dict[str, int]:
    """The ports of the last run where they are still free, so that addresses stay the same; else new ones."""
    before = last_ports(path)
    ports = {name: before[name] if name in before and is_free(before[name]) else free_port() for name in names}
    path.write_text(json.dumps(ports))
    return ports


def last_ports(path: Path) -> dict[str, int]:
    """The ports of the last run, or of the one that is running."""
    return dict(json.loads(path.read_text())) if path.exists() else {}
