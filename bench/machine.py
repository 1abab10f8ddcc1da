"""What the figures were taken on; without it they mean nothing."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from dev.paths import ROOT

LIBRARIES = ("django", "djangorestframework", "celery", "granian", "psycopg2-binary")


def description() -> dict[str, str]:
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "commit": _commit(),
        **{name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    """The short name of what was measured, with a + when files differ from it."""
    command = ["git", "describe", "--always", "--dirty=+"]
    described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"
