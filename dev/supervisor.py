"""Runs the parts of the product side by side, shows their logs with a name before each line, and ends them together."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dev.console import paint, say
from dev.processes import Child, ended, kill_everything, start, started_by_make

COLOURS = ("cyan", "green", "yellow", "magenta", "blue")
NAME_WIDTH = 10


class Stopped(BaseException):
    """The person, or the system, asked us to stop."""


class Logs:
    """Prints what children write, whole lines, each child in its own colour."""

    def __init__(self) -> None:
        self._pumps: list[threading.Thread] = []

    def start(self, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> Child:
        child = start(name, command, env=env, output=subprocess.PIPE)
        colour = COLOURS[len(self._pumps) % len(COLOURS)]
        pump = threading.Thread(target=self._print, args=(child, paint(f"{name:<{NAME_WIDTH}}|", colour)), daemon=True)
        pump.start()
        self._pumps.append(pump)
        return child

    def _print(self, child: Child, prefix: str) -> None:
        if child.process.stdout is None:
            return
        with child.process.stdout as lines:
            for line in lines:
                say(f"{prefix} {line.decode(errors='replace').rstrip()}")

    def drain(self) -> None:
        """Let the last lines out."""
        for pump in self._pumps:
            pump.join(0.5)


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal raise Stopped once; from then on, asking again kills everything."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def first(number: int, frame: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, lambda number, frame: kill_everything())
        raise Stopped

    before = {one: signal.signal(one, first) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def first_to_end(children: Sequence[Child]) -> Child:
    """Watch until one of the children ends. When the make that started us is killed, leave: dev.guardian clears up."""
    parent = os.getppid()
    while True:
        if gone := ended(children):
            return gone[0]
        if started_by_make() and os.getppid() != parent:
            os._exit(1)
        time.sleep(0.1)
