"""`make manage`: manage.py on the database of `make run`, beside a running one or alone."""

import subprocess

from dev.home import joined_home
from dev.paths import PYTHON, ROOT


def manage(arguments: list[str]) -> int:
    """The exit code of manage.py; it has the terminal to itself, so that `shell` works."""
    with joined_home() as env:
        return subprocess.run([PYTHON, "manage.py", *arguments], cwd=ROOT, env=env).returncode
