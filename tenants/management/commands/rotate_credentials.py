"""`manage.py rotate_credentials`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import vault
from tenants.rotation import BATCH, Progress, rotate


class Command(BaseCommand):
    help = (
        "Seals the credentials of all integrations, and inbox secrets, with the first of CREDENTIALS_KEYS. To change "
        "keys: add the new one "
        "at the end and restart everything, move it to the front and restart, run this, then drop the old one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="Rows a transaction.")

    def handle(self, *args: Any, **options: Any) -> None:
        done = Progress()
        for done in rotate(batch=options["batch"]):
            self.stdout.write(f"{done.seen} rows looked at, {done.resealed} sealed anew")
        if done.unopenable:
            ids = ", ".join(map(str, done.unopenable))
            raise CommandError(f"{len(done.unopenable)} could not be opened with any key of the ring: {ids}")
        self.stdout.write(self.style.SUCCESS(f'Everything is sealed with the key "{vault.current_key_id()}".'))
