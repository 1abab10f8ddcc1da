"""The product's processes. Whatever dies is started again, as any supervisor of services would."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dev.processes import Child, start, stop_all
from dev.server import granian

RESTART_SECONDS = 0.5
POOLS = {"email": 2, "webhook": 2}  # processes; the other workers have one
LANES = ("email", "chat", "webhook", "in_app")
STOP_SECONDS = 30.0


def commands(web_port: int, sabotage: str = "") -> dict[str, list[str]]:
    """As the image's entrypoint starts them, with one group of workers for each kind of channel.

    `sabotage`: the safeguard (chaos.sabotaged) that workers and dispatcher do without.
    """
    python = [sys.executable, *(("-m", "chaos.sabotaged", sabotage) if sabotage else ())]
    celery = [*python, "-m", "celery", "-A", "traffic_control", "-q", "worker", "--without-gossip", "--without-mingle"]
    queues = {"router": "process", **{lane: f"deliver.{lane}" for lane in LANES}}
    return {
        "web": [sys.executable, "-m", *granian("--port", str(web_port), "--workers", "2", "--blocking-threads", "8")],
        "dispatcher": [*python, "manage.py", "dispatcher"],
        **{
            name: [*celery, "-l", "WARNING", "-n", f"{name}@chaos", "-c", str(POOLS.get(name, 1)), "--queues", queue]
            for name, queue in queues.items()
        },
    }


@dataclass
class Roles:
    """`resting`: roles that stay down until they are called again."""

    commands: dict[str, list[str]]
    environment: Mapping[str, str]
    logs: Path
    children: dict[str, Child] = field(default_factory=dict)
    former: list[Child] = field(default_factory=list)
    restarts: int = 0

    def __post_init__(self) -> None:
        self.resting = set(self.commands)
        self._lock, self._over = threading.RLock(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self, names: Iterable[str]) -> None:
        """From here on they are kept running."""
        with self._lock:
            for name in names:
                self.resting.discard(name)
                if name not in self.children:
                    self._start(name)
        if not self._keeper.is_alive():
            self._keeper.start()

    def _start(self, name: str) -> None:
        self.children[name] = self._launched(name)

    def _launched(self, name: str) -> Child:
        with (self.logs / f"{name}.log").open("ab") as log:
            command = self.commands[name]
            return start(name, command, env=os.environ | dict(self.environment), output=log.fileno())

    def rest(self, name: str) -> None:
        """Killed, and not started again before `start`."""
        with self._lock:
            self.resting.add(name)
            self.kill(name)

    def retire(self, name: str) -> tuple[int | None, float]:
        """Asked to end, and not started again before `start`: its exit code (None: it had to be killed), and when."""
        with self._lock:
            self.resting.add(name)
            child, began = self.children.pop(name), time.monotonic()
        child.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(STOP_SECONDS)
        code, seconds = child.process.poll(), time.monotonic() - began
        child.kill()
        return code, seconds

    def kill(self, name: str) -> None:
        """The process with all its children, at once."""
        with self._lock:
            if name in self.children:
                self.children.pop(name).kill()

    def kill_child(self, name: str, chance: random.Random) -> bool:
        """One of the pool's processes; whether there was one."""
        with self._lock:
            parent = self.children.get(name)
            found = children_of(parent.process.pid) if parent and parent.is_running() else []
            if not found:
                return False
            os.kill(chance.choice(found), signal.SIGKILL)
            return True

    def freeze(self, name: str) -> Callable[[], None]:
        """Stops it where it stands; another one takes its place. Call what comes back to let it go on."""
        with self._lock:
            child = self.children.pop(name)
            os.killpg(child.process.pid, signal.SIGSTOP)
            self.former.append(child)
        return lambda: os.killpg(child.process.pid, signal.SIGCONT)

    def join(self, name: str, *, count: int) -> Callable[[], None]:
        """So many more of one kind, which nobody keeps running. Call what comes back to end them."""
        with self._lock:
            several = [self._launched(name) for _ in range(count)]
        return lambda: stop_all(several, seconds=STOP_SECONDS)

    def _keep(self) -> None:
        while not self._over.wait(RESTART_SECONDS):
            with self._lock:
                for name in self.commands:
                    child = self.children.get(name)
                    if name in self.resting or (child and child.is_running()):
                        continue
                    if child:
                        child.kill()
                    self.restarts += 1
                    self._start(name)

    def stop(self) -> float:
        """Asks all to finish; seconds until the last had."""
        self._over.set()
        began = time.monotonic()
        with self._lock:
            stop_all([*self.children.values(), *self.former], seconds=STOP_SECONDS)
        return time.monotonic() - began


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(one) for one in told.split()]
