"""A Redis that a test may take away, and one that never answers."""

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.binaries import valkey_server
from dev.ports import HOST, free_port
from dev.processes import Child
from dev.valkey import Valkey


class OwnValkey:
    """A server of the test's own. Killed, it comes back empty, as after a crash without persistence."""

    def __init__(self, folder: Path) -> None:
        self.server = Valkey(
            folder=folder,
            program=valkey_server(),
            port=free_port(),
            password=secrets.token_urlsafe(),
            is_durable=False,
        )
        self.child: Child | None = None

    @property
    def settings(self) -> dict[str, str]:
        return {"REDIS_URL": self.server.url, "CELERY_BROKER_URL": self.server.url}

    def start(self) -> None:
        self.child = self.server.start()
        self.server.wait_until_ready(self.child)

    def kill(self) -> None:
        """Its port refuses connections from now on."""
        if self.child is not None:
            self.child.kill()

    def freeze(self) -> None:
        """Its port still accepts connections, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It knows what it knew, and reads what was written to it meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        os.kill(self.child.process.pid, number)


@contextmanager
def own_valkey(folder: Path) -> Iterator[OwnValkey]:
    own = OwnValkey(folder)
    own.start()
    try:
        yield own
    finally:
        own.kill()


@contextmanager
def black_hole() -> Iterator[str]:
    """A server that accepts and never answers; its URL."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(256)
        yield f"redis://{HOST}:{listener.getsockname()[1]}/0"
