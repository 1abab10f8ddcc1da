"""`manage.py error_docs [--write]`: the catalogue of errors as Markdown."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from traffic_control.error_catalogue import markdown


class Command(BaseCommand):
    """Prints docs/errors.md, or writes it."""

    help = "Prints the catalogue of errors as Markdown."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/errors.md instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            (settings.BASE_DIR / "docs/errors.md").write_text(markdown())
        else:
            self.stdout.write(markdown(), ending="")
