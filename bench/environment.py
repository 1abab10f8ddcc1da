"""The plain design's own virtual environment, bench/.venv: its libraries never mix with the product's."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dev.bootstrap import uv_settings
from dev.console import progress

HERE = Path(__file__).parent
VENV = HERE / ".venv"
LOCK = HERE / "requirements-bench.txt"
STAMP = VENV / "installed"


def program(name: str) -> str:
    """The path of a program of that environment, which is made first when it is missing or its lock has changed."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not STAMP.exists() or STAMP.read_text() != wanted:
        progress(f"Making {VENV.relative_to(HERE.parent)} for the plain design")
        _install()
        STAMP.write_text(wanted)
    return str(VENV / "bin" / name)


def _install() -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    make = [sys.executable, "-m", "venv", "--clear", *(["--without-pip"] if uv else []), str(VENV)]
    fill = [uv, "pip", "sync"] if uv else [str(VENV / "bin" / "python"), "-m", "pip", "install", "-r"]
    settings = os.environ | uv_settings() | {"VIRTUAL_ENV": str(VENV)}
    subprocess.run(make, check=True)
    subprocess.run([*fill, str(LOCK), "--quiet", "--require-hashes"], check=True, env=settings)
