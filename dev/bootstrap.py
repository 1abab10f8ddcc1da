"""The environment in .venv: exactly the hashed lock files, made again when they change.

uv installs (seconds); pip does the same from the same files where uv cannot.
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from dev.console import progress, refuse
from dev.paths import BIN, PYTHON, ROOT, VENV

LOCKS = ("requirements.txt", "requirements-dev.txt")
INSTALLER = "requirements-uv.txt"
FUZZER = "requirements-fuzz.txt"
BROWSER = "requirements-browser.txt"
BENCH = "bench/requirements-bench.txt"  # a virtual environment of its own, made by the bench
STAMP = VENV / "installed"


def enter(arguments: list[str]) -> None:
    """Come back with the environment complete and this process running inside it (the process id stays)."""
    ensure()
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "dev.py"), *arguments])


def ensure() -> None:
    """Make or renew .venv; a stamp of what was installed makes the usual call a matter of microseconds."""
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    started = time.monotonic()
    if not PYTHON.exists():
        make_venv()
    install()
    STAMP.write_text(wanted)
    progress(f"Environment ready in {time.monotonic() - started:.0f} s")


def fingerprint() -> str:
    """What the environment was made from; the path counts, because a moved environment does not work."""
    content = b"".join((ROOT / name).read_bytes() for name in (*LOCKS, INSTALLER))
    return hashlib.sha256(content + str(VENV).encode()).hexdigest()


def make_venv() -> None:
    progress(f"Making {VENV.name} with Python {sys.version.split()[0]}")
    if find_spec("ensurepip"):
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    elif find_spec("pip"):
        command = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]
    else:
        version = "{}.{}".format(*sys.version_info)
        refuse(
            "Python's venv module is incomplete here (no ensurepip). "
            f"On Debian or Ubuntu: apt install python{version}-venv"
        )
    subprocess.run(command, check=True)


def install() -> None:
    """Bring .venv to the lock files with uv; with pip, which takes them just as well, when uv fails."""
    progress("Installing the locked requirements")
    if not (install_uv() and sync()):
        progress("uv could not; the same files with pip, which takes a minute or two")
        if not run([*pip(), "install", "--require-hashes", "-qq", *(f"-r{name}" for name in LOCKS)]):
            refuse("The requirements could not be installed: see the lines above (is the package index within reach?)")


def install_uv() -> bool:
    return run([*pip(), "install", "--require-hashes", "-qq", "-r", INSTALLER])


def sync() -> bool:
    """Exactly what is locked, nothing besides; compiled now, so that each later start is quick."""
    options = ["--require-hashes", "--compile-bytecode", "--quiet"]
    return run([str(BIN / "uv"), "pip", "sync", *options, *LOCKS], uv_settings())


def pip() -> list[str]:
    """The environment's own pip, or the outer one working on the environment (Debian without python3-venv)."""
    outer = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    return [str(PYTHON), "-m", "pip"] if (BIN / "pip").exists() else outer


def run(command: list[str], settings: Mapping[str, str] | None = None) -> bool:
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet, **(settings or {})}).returncode == 0


def uv_settings() -> dict[str, str]:
    """uv works on .venv only. It does not read pip.conf, so it is told which index and which certificates pip uses."""
    settings = {"VIRTUAL_ENV": str(VENV), "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "copy"}
    if not os.access(os.path.expanduser("~"), os.W_OK):
        settings["UV_NO_CACHE"] = "1"
    told = pip_options()
    same = {"UV_DEFAULT_INDEX": told.get("index-url"), "SSL_CERT_FILE": told.get("cert")}
    return settings | {name: value for name, value in same.items() if value and name not in os.environ}


def pip_options() -> dict[str, str]:
    """What pip is told by its files and by the environment, which wins."""
    listed = subprocess.run([*pip(), "config", "list"], capture_output=True, text=True).stdout
    options = (line.partition("=") for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")))
    return {key.rpartition(".")[2]: str(ast.literal_eval(value)) for key, _, value in options}


def lock() -> int:
    """Write the lock files again: every package with its hashes, no addresses.

    The installer's own version is edited in place, in the first line of its file.
    """
    own = (ROOT / INSTALLER).read_text().split()[0]
    ok = compile_lock("-", INSTALLER, given=own) and all(
        compile_lock(name.replace(".txt", ".in"), name) for name in (*LOCKS, FUZZER, BROWSER, BENCH)
    )
    return 0 if ok else 1


def compile_lock(source: str, target: str, given: str = "") -> bool:
    progress(f"Locking {target}")
    command = [str(BIN / "uv"), "pip", "compile", "--universal", "--generate-hashes", "--python-version", "3.11"]
    command += ["--no-emit-index-url", "--custom-compile-command", "make lock", "--quiet", source, "-o", target]
    command += ["--no-annotate", "--no-header"] if source == "-" else []
    return subprocess.run(command, cwd=ROOT, env=os.environ | uv_settings(), input=given, text=True).returncode == 0


def clean() -> int:
    """Remove the environment and what tools have cached; the data in DEV_DIR stays."""
    tools = [".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis"]
    for path in [VENV, *(ROOT / name for name in [*tools, "htmlcov", "staticfiles"])]:
        shutil.rmtree(path, ignore_errors=True)
    return 0
