"""The OpenAPI document in the repository: written from the code, and held to it."""

import difflib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.console import say
from dev.paths import ROOT
from dev.steps import command

DOCUMENT = ROOT / "openapi.yaml"
SHOWN = 60


def write(path: Path = DOCUMENT, settings: Mapping[str, str] | None = None) -> int:
    arguments = ["spectacular", "--validate", "--fail-on-warn", "--file", str(path)]
    return command("python", "manage.py", *arguments)({**os.environ, "DEBUG": "1", **(settings or {})})


def is_current(settings: Mapping[str, str]) -> int:
    """0 when the document is what the code says; else the first differing lines are shown."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / DOCUMENT.name
        if code := write(fresh, settings):
            return code
        committed = DOCUMENT.read_text() if DOCUMENT.exists() else ""
        return show_difference(committed.splitlines(), fresh.read_text().splitlines())


def show_difference(committed: Sequence[str], fresh: Sequence[str]) -> int:
    lines = list(difflib.unified_diff(committed, fresh, "committed", "from the code", n=1, lineterm=""))
    if lines:
        say("\n".join([*lines[:SHOWN], f"{DOCUMENT.name} is out of date: make openapi"]))
    return 1 if lines else 0
