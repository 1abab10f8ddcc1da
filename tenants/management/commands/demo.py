"""`manage.py demo`"""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import demo
from tenants.authentication import usable_key


class Command(BaseCommand):
    help = (
        "Makes the demo tenant with a live and a test key, and the console's user admin. Called again, it makes new "
        "keys and a new password for them and revokes the old: they are shown once and stored nowhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")
        parser.add_argument("--check", metavar="KEY", help="Make nothing; fail unless this API key works.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check(options["check"])
            return
        made = demo.prepare()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(made)))
            return
        for name, value in asdict(made).items():
            self.stdout.write(f"{name.replace('_', ' '):<15} {value}")

    def _check(self, raw: str) -> None:
        key = usable_key(raw)
        if key is None or not key.tenant.is_active:
            raise CommandError("This key does not work.")
        self.stdout.write("This key works.")
