"""`manage.py isolate`: row-level security, complete and forced."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection

from tenants import row_security


class Command(BaseCommand):
    help = (
        "Sets up row-level security, as far as something is missing, also for whoever owns the tables. Safe to repeat."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--sql", action="store_true", help="only print what is missing, for an administrator to run"
        )

    def handle(self, *args: Any, sql: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has row-level security. On SQLite the scope in code is all there is.")
        if sql:
            for step in row_security.missing(force=True):
                self.stdout.write("".join(f"{statement};\n" for statement in step))
            return
        try:
            steps = row_security.install(force=True)
        except ProgrammingError as exc:
            told = "Let an administrator run what manage.py isolate --sql prints."
            raise CommandError(f"{str(exc).splitlines()[0]}. {told}") from exc
        self.stdout.write(f"Steps taken: {steps}." if steps else "All is in place.")
