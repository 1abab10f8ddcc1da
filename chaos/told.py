"""Helpers of this house that are told what to do: one JSON object a line on their standard input."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from dev.console import refuse
from dev.processes import Child, start


@dataclass(frozen=True)
class Told:
    """A running helper; `ports` is the line it printed when it was ready."""

    child: Child
    ports: dict[str, int]

    def order(self, **what: Any) -> None:
        pipe = self.child.process.stdin
        assert pipe
        pipe.write(json.dumps(what).encode() + b"\n")
        pipe.flush()


def launch(module: str, *arguments: str) -> Told:
    command = [sys.executable, "-m", module, *arguments]
    child = start(module, command, output=subprocess.PIPE, stdin=subprocess.PIPE)
    assert child.process.stdout
    line = child.process.stdout.readline()
    if not line.startswith(b"{"):
        refuse(f"{module} did not start: {line.decode(errors='replace').strip()}")
    return Told(child, json.loads(line))
