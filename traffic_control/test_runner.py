"""`manage.py test`: the suite of `make test`, for hands that know Django's command."""

import os
import shlex
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import CommandError

VERBOSITY = {0: ["-q"], 2: ["-v"], 3: ["-vv"]}


class PytestRunner:
    """Becomes pytest: Django's options and labels in pytest's words, and pytest's exit code.

    Without a DATABASE_URL the suite gets a PostgreSQL and a Valkey of its own.
    """

    def __init__(
        self,
        *,
        verbosity: int = 1,
        failfast: bool = False,
        keepdb: bool = False,
        parallel: str = "",
        patterns: Sequence[str] = (),
        pytest: str = "",
        **_: Any,
    ) -> None:
        self.options = [
            *VERBOSITY.get(verbosity, []),
            *(["-x"] if failfast else []),
            *(["--reuse-db"] if keepdb else []),
            *(["-n", "0" if parallel == "1" else parallel] if parallel else []),
            *(["-k", " or ".join(patterns)] if patterns else []),
            *shlex.split(pytest),
        ]

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--keepdb", action="store_true", help="Keep the test databases for the next run.")
        parser.add_argument("--parallel", metavar="N", default="", help="Processes; as many as cores unless said.")
        parser.add_argument("-k", dest="patterns", action="append", default=[], help="Only tests whose names match.")
        parser.add_argument("--pytest", metavar="ARGS", default="", help='What pytest alone knows: --pytest="--lf -s".')

    def run_tests(self, test_labels: Sequence[str], **_: Any) -> NoReturn:
        if find_spec("pytest") is None or not (settings.BASE_DIR / "dev").is_dir():
            raise CommandError("The tests need the repository and its tools: make setup, then .venv/bin/python.")
        arguments = [*self.options, *(place_of(label) for label in test_labels)]
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "dev.test", *arguments])  # noqa: S606 our own interpreter


def place_of(label: str) -> str:
    """What pytest calls it: `tenants` is tests/tenants, `tenants.test_x.test_y` is tests/tenants/test_x.py::test_y."""
    path, *names = label.split("::")
    if "/" in path or path.endswith(".py"):
        return "::".join([str(Path(path).resolve()), *names])
    words = path.split(".")
    return dotted(words if words[0] == "tests" else ["tests", *words]) or label


def dotted(words: list[str]) -> str:
    """The folder or module that the words lead to, and the rest as names in it; "" when they lead nowhere."""
    for length in range(len(words), 0, -1):
        place, names = settings.BASE_DIR.joinpath(*words[:length]), words[length:]
        if place.is_dir() and not names:
            return str(place)
        if place.with_suffix(".py").is_file():
            return "::".join([f"{place}.py", *names])
    return ""
