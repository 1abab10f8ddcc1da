"""Brings the database up to date and makes the demo tenant: `python -m dev.prepare FILE`, with the product's settings.

Both in one process, because loading Django costs more than either.
"""

import json
import os
import sys
from io import StringIO
from pathlib import Path

import django
from django.core.management import CommandError, call_command

from dev.environment import write_private


def main(kept: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    if not (kept.exists() and key_works(json.loads(kept.read_text())["api_key"])):
        write_private(kept, made_demo())


def key_works(key: str) -> bool:
    """Whether this database knows the key: the database may be new while the file is old."""
    try:
        call_command("demo", "--json", "--check", key, stdout=StringIO())
    except (CommandError, SystemExit):
        return False
    return True


def made_demo() -> str:
    printed = StringIO()
    call_command("demo", "--json", stdout=printed)
    return printed.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
