"""Every migration of ours as the SQL that PostgreSQL gets, judged by squawk: `python -m dev.migrations`.

In one process for all of them, because loading Django costs more than the SQL.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from dev.paths import BIN, ROOT

OLDEST_POSTGRES = "15.0"
NEVER = (
    "prefer-text-field",  # lengths are part of the contract of the API
    "prefer-bigint-over-int",  # Django's own user ids
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",  # a failed migration is rolled back whole
    "require-lock-timeout",  # a matter of the session that migrates, not of each file
    "require-statement-timeout",
)
NOT_FOR_EMPTY_TABLES = (
    "adding-foreign-key-constraint",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "require-concurrent-index-creation",
)


def main() -> int:
    """First migrations meet empty tables, so locks cost nothing there; every later one gets all the rules."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        written = [write_sql(Path(folder), app, name) for app, name in our_migrations()]
        first = [path for path in written if ".0001_" in path.name]
        later = [path for path in written if path not in first]
        return max(judge(first, (*NEVER, *NOT_FOR_EMPTY_TABLES)), judge(later, NEVER))


def our_migrations() -> list[tuple[str, str]]:
    ours = {app.label for app in apps.get_app_configs() if Path(app.path).parent == ROOT}
    return sorted(key for key in MigrationLoader(connection).disk_migrations if key[0] in ours)


def write_sql(folder: Path, app: str, name: str) -> Path:
    path = folder / f"{app}.{name}.sql"
    with path.open("w") as file:
        call_command("sqlmigrate", app, name, no_color=True, stdout=file)
    return path


def judge(paths: Sequence[Path], exclude: Sequence[str]) -> int:
    options = [f"--pg-version={OLDEST_POSTGRES}", f"--exclude={','.join(exclude)}", "--reporter=gcc"]
    return subprocess.run([BIN / "squawk", *options, *paths]).returncode if paths else 0


if __name__ == "__main__":
    sys.exit(main())
