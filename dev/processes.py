"""Children that never outlive this process: each leads a process group of its own, and a guardian knows them all."""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dev.guardian import signal_group
from dev.paths import ROOT

_running: dict[int, "Child"] = {}


@dataclass(frozen=True, kw_only=True)
class Child:
    """One started process with everything it starts itself."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals

    def is_running(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        """The kind way. Only the process itself is asked: it knows how to end its own children."""
        if self.is_running():
            self.process.send_signal(self.stop_signal)

    def finish(self, seconds: float) -> None:
        """Wait for the end that was asked for, then take it; the rest of its group goes too."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(seconds, 0))
        self.kill()

    def kill(self) -> None:
        signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if _running.pop(self.process.pid, None):
            tell_guardian(f"- {self.process.pid}")


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    output: int | None = None,
    stdin: int = subprocess.DEVNULL,
    stop_signal: signal.Signals = signal.SIGTERM,
    last_resort: signal.Signals = signal.SIGKILL,
    run_as: Mapping[str, object] | None = None,
) -> Child:
    """Start a command in a session of its own, so that Ctrl-C reaches us only. The guardian sends `last_resort`."""
    process = subprocess.Popen(  # type: ignore[call-overload]
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        **(run_as or {}),
    )
    tell_guardian(f"+ {process.pid} {int(last_resort)}")
    child = _running[process.pid] = Child(name=name, process=process, stop_signal=stop_signal)
    return child


def ended(children: Sequence[Child]) -> list[Child]:
    return [child for child in children if not child.is_running()]


def stop_all(children: Sequence[Child], *, seconds: float) -> None:
    """Ask all at once, then wait for each within one common time."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + seconds
    for child in children:
        child.finish(deadline - time.monotonic())


def kill_everything() -> None:
    """At once and unasked. The databases recover from it: that is what their logs are for."""
    for group in list(_running):
        signal_group(group, signal.SIGKILL)


def tell_guardian(line: str) -> None:
    pipe = guardian().stdin
    if pipe and guardian().poll() is None:
        print(line, file=pipe, flush=True)


@cache
def guardian() -> subprocess.Popen[str]:
    """The one guardian of this process, started with the first child and dismissed at exit."""
    started = subprocess.Popen(
        [sys.executable, "-S", "-m", "dev.guardian"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
        close_fds=False,  # it shares the lock on DEV_DIR, which is thus held until the last process is gone
    )
    atexit.register(dismiss, started)
    return started


def dismiss(started: subprocess.Popen[str]) -> None:
    """Whatever is still registered ends now."""
    if started.stdin:
        started.stdin.close()
    started.wait()


def started_by_make() -> bool:
    return "MAKELEVEL" in os.environ
