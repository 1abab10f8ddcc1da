"""`make browser`: the console in a real Chromium, on the running product."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec

from dev.bootstrap import BROWSER, uv_settings
from dev.console import Refusal, progress, refuse, say
from dev.paths import BIN, ROOT, VENV
from dev.test import pytest
from dev.test import test as run_tests

TESTS = ("-n0", "tests/browser")
STAMP = VENV / "browser-installed"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "There is no Chromium here. On Debian or Ubuntu: apt install chromium. "
    "Elsewhere: CHROMIUM=/path/to/chrome make browser."
)


def browser(arguments: list[str]) -> int:
    """Arguments go to pytest."""
    os.environ["CHROMIUM"] = chromium() or refuse(MISSING)
    install()
    return run_tests([*TESTS, *arguments])


def check(settings: Mapping[str, str]) -> int:
    """As a step of `make check`: 0, with a line that says so, where there is no Chromium."""
    found = chromium()
    if not found:
        say(f"Not run. {MISSING}")
        return 0
    try:
        install()
    except Refusal as refusal:
        say(str(refusal))
        return 1
    return pytest([*TESTS, "-q"], {**settings, "CHROMIUM": found})


def chromium() -> str | None:
    """CHROMIUM, or the first that is on the path."""
    return os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """The driver, beside what .venv holds; again when the lock has changed or .venv was made anew."""
    lock = (ROOT / BROWSER).read_text()
    if find_spec("playwright") and STAMP.exists() and STAMP.read_text() == lock:
        return
    progress("Installing what drives the browser")
    command = [str(BIN / "uv"), "pip", "install", "--quiet", "--require-hashes", "-r", BROWSER]
    if subprocess.run(command, cwd=ROOT, env=os.environ | uv_settings()).returncode:
        refuse("The driver could not be installed: see the lines above (is the package index within reach?)")
    STAMP.write_text(lock)
