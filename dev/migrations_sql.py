"""Writes the SQL of every migration of ours into a folder, a file each: `python -m dev.migrations_sql FOLDER`."""

import os
import sys
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from dev.paths import ROOT


def main(folder: Path) -> None:
    """In one process for all, because loading Django costs more than the SQL."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")
    django.setup()
    ours = {app.label for app in apps.get_app_configs() if Path(app.path).parent == ROOT}
    for label, name in sorted(MigrationLoader(connection).disk_migrations):
        if label in ours:
            sql = call_command("sqlmigrate", label, name, no_color=True)
            (folder / f"{label}.{name}.sql").write_text(sql or "")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
