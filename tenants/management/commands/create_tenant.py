"""`manage.py create_tenant`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import services, syntax


class Command(BaseCommand):
    help = "Registers a tenant and prints its first keys, once. For installs where REGISTRATION is closed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--email", required=True, help="Who runs this tenant.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name, email = syntax.text(options["name"], max_length=100), syntax.email(options["email"])
        except ValueError as exc:
            raise CommandError(str(exc)) from exc
        if not name:
            raise CommandError("A tenant needs a name.")
        new = services.register(name, email)
        self.stdout.write(f"tenant          {new.tenant.slug}")
        self.stdout.write(f"API key         {new.api_key}")
        self.stdout.write(f"test API key    {new.test_api_key}")
        self.stdout.write(f"webhook secret  {new.webhook_secret}")
