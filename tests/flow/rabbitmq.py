"""A RabbitMQ of our own, on free ports of loopback. The program is the system's; its own node is not touched."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from amqp import Connection

from dev.guardian import signal_group
from tests.flow.stack import wait_until

GIVEN = os.environ.get("RABBITMQ_URL", "")
PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server"))  # Debian's second one wants su
SERVER = next((program for program in PROGRAMS if program and Path(program).exists()), None)


@dataclass
class RabbitMQ:
    """One node. It keeps its name and data through `stop` and `start`."""

    folder: Path
    ports: list[int]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.ports[0]}//"

    @property
    def env(self) -> dict[str, str]:
        listens, distribution, mapper = (str(port) for port in self.ports)
        ours = {
            "NODENAME": f"test{listens}@localhost",
            "NODE_IP_ADDRESS": "127.0.0.1",
            "NODE_PORT": listens,
            "DIST_PORT": distribution,
            "MNESIA_BASE": str(self.folder / "data"),
            "LOG_BASE": str(self.folder),
            "LOGS": "-",
            "ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "CONFIG_FILE": str(self.folder / "none"),
            "CONF_ENV_FILE": str(self.folder / "none.conf"),
            "PID_FILE": str(self.folder / "pid"),
        }
        erlang = {"HOME": str(self.folder), "ERL_EPMD_PORT": mapper, "ERL_EPMD_ADDRESS": "127.0.0.1"}
        return os.environ | erlang | {f"RABBITMQ_{name}": value for name, value in ours.items()}

    def start(self) -> None:
        """Erlang's own name server first: one that RabbitMQ starts by itself would outlive it."""
        (self.folder / "plugins").write_text("[].")
        with (self.folder / "rabbitmq.log").open("ab") as log:
            for command in ("epmd", str(SERVER)):
                process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, start_new_session=True)
                self.processes.append(process)
        wait_until(self.answers, seconds=60, what="RabbitMQ")

    def answers(self) -> bool:
        assert self.processes[-1].poll() is None, f"RabbitMQ ended: see {self.folder}/rabbitmq.log"
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def connect(self) -> Connection:
        connection = Connection(f"127.0.0.1:{self.ports[0]}", connect_timeout=2)
        connection.connect()
        return connection

    def stop(self) -> None:
        """In good order. Killed soon after its first start, RabbitMQ 3.10 forgets queues that it has said it made."""
        while self.processes:
            process = self.processes.pop()
            process.terminate()
            process.wait(30)

    def end(self) -> None:
        while self.processes:
            process = self.processes.pop()
            signal_group(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def rabbitmq(folder: Path) -> Iterator[RabbitMQ]:
    node = RabbitMQ(folder, free_ports(3))
    try:
        node.start()
        yield node
    finally:
        node.end()


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
