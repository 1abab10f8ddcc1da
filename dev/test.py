"""`make test`: the suite on a PostgreSQL and a Valkey of its own, in parallel."""

import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.console import say
from dev.ports import free_port
from dev.processes import start, stop_all
from dev.services import Place, services
from dev.supervisor import Stopped, first_to_end, stoppable
from dev.versions import versions

SYSTEM_POSTGRES = "--system-postgres"
INTERRUPTED = 130
SOAK = ("-n0", "-s", "tests/soak")


def test(arguments: list[str]) -> int:
    """Arguments go to pytest; `--system-postgres` takes this machine's PostgreSQL instead of the wheel's."""
    try:
        with stoppable(), throwaway_services(use_system_postgres=SYSTEM_POSTGRES in arguments) as settings:
            say(versions(settings))
            return pytest([one for one in arguments if one != SYSTEM_POSTGRES], settings)
    except Stopped:
        return INTERRUPTED


@contextmanager
def throwaway_services(*, use_system_postgres: bool = False) -> Iterator[dict[str, str]]:
    """The environment with servers to reach; those that are ours live in a temporary folder and never sync to disk."""
    with tempfile.TemporaryDirectory(prefix="traffic-control-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)  # noqa: S103 an unprivileged PostgreSQL must get to its own folder inside
        place = Place(
            folder=Path(folder),
            ports={name: free_port() for name in ("postgres", "valkey")},
            passwords={name: secrets.token_urlsafe() for name in ("POSTGRES_PASSWORD", "VALKEY_PASSWORD")},
            is_durable=False,
            use_system_postgres=use_system_postgres,
        )
        with services(os.environ, place) as reached:
            ours = {"SECRET_KEY": secrets.token_urlsafe(50), "ALLOW_UNSAFE_POSTGRES": "1"}
            yield ours | os.environ | reached.settings


def coverage(arguments: list[str]) -> int:
    """The suite with every line and branch counted: a table of what is missing, and pages to read in htmlcov/."""
    return test(["--cov", "--cov-report=term-missing:skip-covered", "--cov-report=html", *arguments])


def pytest(arguments: list[str], settings: dict[str, str]) -> int:
    """Its exit code. Workers as many as cores; `-n0` among the arguments wins, as the last one said."""
    parallel = ["-n", "auto", "--dist", "loadgroup"]
    child = start("pytest", [sys.executable, "-m", "pytest", *parallel, *arguments], env=settings)
    try:
        return first_to_end([child]).process.returncode
    finally:
        stop_all([child], seconds=5)


if __name__ == "__main__":
    sys.exit(test(sys.argv[1:]))
