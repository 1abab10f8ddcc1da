"""The steps of a check: each has a name, says what is wrong, and shows how long it took."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.console import paint, progress, say
from dev.paths import BIN, ROOT


@dataclass(frozen=True)
class Step:
    """One check. `run` takes the environment, prints what is wrong and returns an exit code."""

    name: str
    run: Callable[[Mapping[str, str]], int]


def command(*parts: str | Path) -> Callable[[Mapping[str, str]], int]:
    """A program of the environment, quiet unless it finds something."""

    def run(settings: Mapping[str, str]) -> int:
        program = [BIN / parts[0], *parts[1:]]
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        done = subprocess.run(program, cwd=ROOT, env=settings, stdout=pipe, stderr=both, text=True)
        if done.returncode:
            say(done.stdout.rstrip())
        return done.returncode

    return run


def failures(steps: Sequence[Step], settings: Mapping[str, str]) -> list[str]:
    """Run them all; the names of those that found something."""
    return [step.name for step in steps if not passes(step, settings)]


def passes(step: Step, settings: Mapping[str, str]) -> bool:
    started = time.monotonic()
    code = step.run(settings)
    word = paint("ok", "green") if code == 0 else paint("FAILED", "red")
    progress(f"{step.name:<16}{time.monotonic() - started:5.1f} s  {word}")
    return code == 0
