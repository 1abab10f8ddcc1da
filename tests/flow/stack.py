"""The product's own processes, beside the test and on its database: web, worker, dispatcher."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from django.conf import settings
from django.db import connection

from dev.server import granian, granian_streams

ROOT = Path(__file__).resolve().parents[2]
QUEUES = ",".join(settings.QUEUES)


def wait_until(condition: Callable[[], Any], *, seconds: float = 30.0, what: str = "it") -> Any:
    """The first truthy answer of `condition`; fails when the time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.02)
    return answer


def database_url() -> str:
    db = connection.settings_dict
    login = f"{quote(db['USER'])}:{quote(db['PASSWORD'])}"
    return f"postgres://{login}@{db['HOST']}:{db['PORT']}/{quote(str(db['NAME']))}"


@dataclass
class Stack:
    """Starts and stops processes; what is still running at the end is killed."""

    log_folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    prefix: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}:")

    @property
    def env(self) -> dict[str, str]:
        ours = {
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": settings.REDIS_URL,
            "REDIS_URL": settings.REDIS_URL,
            "REDIS_KEY_PREFIX": self.prefix,
            "SECRET_KEY": settings.SECRET_KEY,
            "API_KEY_PEPPER": settings.API_KEY_PEPPER,
            "CELERY_TASK_ALWAYS_EAGER": "0",
            "DEBUG": "0",
            "REGISTRATION": "open",
            "EGRESS_ALLOW": "127.0.0.0/8",
            "JOURNAL_DIR": str(self.log_folder / "journal"),
        }
        return os.environ | ours | self.extra

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.log_folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        self.running[name] = process
        return process

    def worker(self, name: str = "worker", *, queues: str = QUEUES, concurrency: int = 2) -> subprocess.Popen[bytes]:
        flags = [
            "--without-gossip",
            "--without-mingle",
            "--loglevel=INFO",
            f"--concurrency={concurrency}",
            "-Q",
            queues,
        ]
        return self.start(name, "celery", "-A", "traffic_control", "worker", f"--hostname={name}@test", *flags)

    def dispatcher(self) -> subprocess.Popen[bytes]:
        return self.start("dispatcher", "django", "dispatcher", "--settings=traffic_control.settings")

    def web(self, name: str = "web", *, processes: int = 1, port: int = 0) -> str:
        """Its base URL, once it answers."""
        port = port or free_port()
        threads = self.env.get("WEB_THREADS", "16")
        place = ("--host", "127.0.0.1", "--port", str(port), "--workers", str(processes))
        self.start(name, *granian(*place, "--blocking-threads", threads))
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), what="the web process")
        return f"http://127.0.0.1:{port}"

    def streams(self, port: int = 0) -> str:
        """The process that streams inboxes: its base URL, once it answers."""
        port = port or free_port()
        self.start("streams", *granian_streams("--host", "127.0.0.1", "--port", str(port)))
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/livez"), what="the process that streams")
        return f"http://127.0.0.1:{port}"

    def kill(self, name: str) -> None:
        """SIGKILL to the process and all its children at once: no chance to tidy up."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.running.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def stack(log_folder: Path, **extra: str) -> Iterator[Stack]:
    running = Stack(log_folder, extra)
    try:
        yield running
    finally:
        running.stop()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def peak_memory_mb(pid: int) -> int:
    """The most resident memory that any process of this group has had."""
    peaks = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if os.getpgid(int(status.parent.name)) == pid:
                peaks.append(int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024)
        except (OSError, IndexError, ValueError):
            continue
    return max(peaks)
