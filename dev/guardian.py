"""Ends what its parent started, should the parent itself be killed.

It holds the reading end of a pipe that only the parent writes to; the system closes that pipe however the parent dies.
Lines: `+ <process group> <signal>` when something starts, `- <process group>` when it has ended.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

GRACE = 2.0


def watch(news: TextIO) -> dict[int, int]:
    """Read until the parent is gone; what was still running then, with the signal that ends it well."""
    running: dict[int, int] = {}
    for line in news:
        sign, group, *how = line.split()
        if sign == "+":
            running[int(group)] = int(how[0])
        else:
            running.pop(int(group), None)
    return running


def end(running: dict[int, int]) -> None:
    """The last started goes first; whoever stays longer than the grace is killed."""
    for group, how in reversed(running.items()):
        signal_group(group, how)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(is_alive(group) for group in running):
        time.sleep(0.02)
    for group in running:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, how: int) -> None:
    try:
        os.killpg(group, how)
    except (ProcessLookupError, PermissionError):
        return


def is_alive(group: int) -> bool:
    """Whether the group runs; a leader that has ended and waits to be collected counts as gone."""
    try:
        os.killpg(group, 0)
        state = Path(f"/proc/{group}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, PermissionError):
        return False
    except OSError:
        return True
    return state != "Z"


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end(watch(sys.stdin))
