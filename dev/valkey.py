"""A Valkey of our own on loopback."""

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dev.console import refuse
from dev.ports import HOST
from dev.processes import Child, start
from dev.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """One server with its data in `folder`; with `is_durable` it keeps an append-only file, synced each second."""

    folder: Path
    program: Path
    port: int
    password: str
    is_durable: bool
    setting: ClassVar[str] = "REDIS_URL"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def start(self) -> Child:
        data = self.folder / "valkey"
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            child = start("valkey", [self.program, "-"], output=log.fileno(), stdin=subprocess.PIPE)
        if child.process.stdin:
            with child.process.stdin as configuration:
                configuration.write(self.configuration(data).encode())
        return child

    def configuration(self, data: Path) -> str:
        """Read from standard input, so that the password is in no list of processes."""
        options = {
            "bind": HOST,
            "port": self.port,
            "requirepass": self.password,
            "dir": f'"{data}"',
            "maxmemory-policy": "noeviction",
            "appendonly": "yes" if self.is_durable else "no",
            "save": '""',
            "databases": 64,
        }
        return "".join(f"{name} {value}\n" for name, value in options.items())

    def wait_until_ready(self, child: Child) -> None:
        if not wait_until(self.answers, seconds=30, give_up=lambda: not child.is_running()):
            refuse(f"Valkey did not start; its log {self.log} ends:\n{self.log.read_text()[-1500:]}")

    def answers(self) -> bool:
        """Whether it takes the password and answers PING."""
        try:
            with socket.create_connection((HOST, self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2 and (part := connection.recv(100)):
                    reply += part
        except OSError:
            return False
        return reply == b"+OK\r\n+PONG\r\n"

    @property
    def log(self) -> Path:
        return self.folder / "valkey.log"
