"""`make run` for real: databases, product, banner, the printed lines, and the end."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.paths import ROOT
from dev.ports import free_port
from dev.waiting import wait_until

OURS = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SECRET_KEY", "MAKELEVEL")
"""What `make test` sets for the suite; this run is to start its own servers."""


@dataclass(frozen=True)
class Run:
    process: subprocess.Popen[bytes]
    log: Path
    dev_dir: Path

    def printed(self) -> list[str]:
        return self.log.read_text().splitlines()

    def is_up(self) -> bool:
        return any("See what would have gone out" in line for line in self.printed()[:-1])

    def left_over(self) -> list[str]:
        """Processes of this run that are still there."""
        return [entry.name for entry in Path("/proc").glob("[0-9]*") if self.has_started(entry)]

    def has_started(self, process: Path) -> bool:
        """Known by DEV_DIR in its environment; the databases write over theirs, but work in a folder inside it."""
        try:
            is_named = f"DEV_DIR={self.dev_dir}".encode() in (process / "environ").read_bytes()
            return is_named or (process / "cwd").readlink().is_relative_to(self.dev_dir)
        except OSError:
            return False


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    env |= {"DEV_DIR": str(tmp_path / "dev"), "PORT": str(free_port()), "NO_COLOR": "1"}
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "dev.py", "run"], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
        )
    with process:
        started = Run(process, log, tmp_path / "dev")
        assert wait_until(started.is_up, seconds=50, give_up=lambda: process.poll() is not None), log.read_text()
        yield started
        process.kill()


@pytest.mark.timeout(120)
@pytest.mark.skipif(not shutil.which("curl"), reason="the printed lines call curl")
@pytest.mark.skipif(sys.platform != "linux", reason="processes left over are looked for in /proc")
def test_run_takes_the_printed_event_and_leaves_nothing_behind(run: Run) -> None:
    assert len(run.left_over()) > 10, "the parts of the run are not recognised"
    event, sandbox = (line for line in run.printed() if line.startswith("curl "))

    accepted = json.loads(subprocess.check_output(event, shell=True))
    [message] = json.loads(subprocess.check_output(sandbox, shell=True))["data"]
    run.process.send_signal(signal.SIGINT)

    assert (accepted["status"], message["channel"], message["to"]) == ("accepted", "email", "ann@example.com")
    assert run.process.wait(30) == 0
    assert run.left_over() == []


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform != "linux", reason="processes left over are looked for in /proc")
def test_run_killed_leaves_nothing_behind(run: Run) -> None:
    run.process.kill()

    assert wait_until(lambda: run.left_over() == [], seconds=5), run.left_over()
