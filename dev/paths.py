"""Where things are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"


def dev_dir() -> Path:
    """What `make run` keeps between runs: databases, secrets, ports, logs. DEV_DIR moves it; private to its owner."""
    path = Path(os.environ.get("DEV_DIR") or ROOT / ".dev").expanduser().resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
