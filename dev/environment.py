"""Which settings the product gets, and from where: the process environment, then .env, then what is kept in DEV_DIR."""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from dev.console import refuse
from dev.paths import ROOT
from dev.ports import HOST


def given() -> dict[str, str]:
    """What the person has set: the environment wins over the file .env."""
    return read_env_file(ROOT / ".env") | os.environ


def dev_dir() -> Path:
    """What `make run` keeps between runs: databases, secrets, ports, logs. DEV_DIR moves it; private to its owner."""
    path = (ROOT / Path(given().get("DEV_DIR") or ".dev").expanduser()).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def read_env_file(path: Path) -> dict[str, str]:
    """KEY=value lines, as django-environ reads them: comments, `export` and quotes are allowed."""
    if not path.exists():
        return {}
    lines = (line.strip().removeprefix("export ") for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): unquoted(value.strip()) for key, _, value in pairs}


def product_settings(
    given: Mapping[str, str], reached: Mapping[str, str], *, secrets: Mapping[str, str], ports: Mapping[str, int]
) -> dict[str, str]:
    """What the product runs with: what is given, the services reached, and for the rest what suits one machine."""
    catcher = {
        "EMAIL_HOST": HOST,
        "EMAIL_PORT": str(ports["smtp"]),
        "TELEGRAM_BOT_TOKEN": "1:caught",
        "TELEGRAM_BASE_URL": f"http://{HOST}:{ports['catcher']}",
    }
    defaults = {
        "DEBUG": "1",
        "SECRET_KEY": secrets["SECRET_KEY"],
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "EGRESS_ALLOW": "127.0.0.0/8,::1/128",
        "PUBLIC_URL": f"http://{HOST}:{web_port(given)}",
        "INBOX_STREAM_URL": f"http://{HOST}:{ports['streams']}",
        "JOURNAL_DIR": str(dev_dir() / "journal"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",  # Celery's, seven lines long
    }
    return (
        defaults | unclaimed(catcher, given) | {name: value for name, value in given.items() if value} | dict(reached)
    )


def web_port(given: Mapping[str, str]) -> int:
    port = given.get("PORT") or "8000"
    return int(port) if port.isdecimal() else refuse(f"PORT is {port!r}; it must be a number, such as 8000.")


def unclaimed(catcher: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The catcher stands in only where nothing real is named: half of somebody's mail server would reach nobody."""
    claimed = {
        "EMAIL": bool(given.get("EMAIL_HOST") or given.get("EMAIL_BACKEND")),
        "TELEGRAM": bool(given.get("TELEGRAM_BOT_TOKEN")),
    }
    return {name: value for name, value in catcher.items() if not claimed[name.partition("_")[0]]}


def unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value


def kept_secrets(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Random values made once and kept in a file only its owner can read."""
    kept = read_env_file(path)
    missing = {name: secrets.token_urlsafe(32) for name in names if name not in kept}
    if missing:
        write_private(path, "".join(f"{name}={value}\n" for name, value in (kept | missing).items()))
    return kept | missing


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 600, whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
