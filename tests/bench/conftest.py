import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class RunningSink:
    smtp_port: int
    http_port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"


@pytest.fixture
def start_sink() -> Iterator[Callable[..., RunningSink]]:
    """Sinks in a process of their own, as the bench runs them."""
    started: list[subprocess.Popen[str]] = []

    def start(delay_ms: float = 0.0) -> RunningSink:
        command = [sys.executable, "-m", "bench.sinks", "--delay-ms", str(delay_ms)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        return RunningSink(**json.loads(process.stdout.readline()), pid=process.pid)

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def sink(start_sink: Callable[..., RunningSink]) -> RunningSink:
    return start_sink()
