"""`manage.py person`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.models import Tenant
from traffic_control.renderers import ProblemAwareJSONRenderer
from user_preferences import erasure


class Command(BaseCommand):
    help = "Shows (export) or erases everything that is kept about a person. The dispatcher carries an erasure out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["export", "erase"])
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--user-id", default="")
        parser.add_argument("--address", default="")

    def handle(self, *args: Any, action: str, tenant: str, user_id: str, address: str, **options: Any) -> None:
        found = Tenant.objects.filter(slug=tenant).first()
        if found is None:
            raise CommandError(f'There is no tenant with the slug "{tenant}".')
        if not user_id and not address:
            raise CommandError("Say whom: --user-id, --address or both.")
        if action == "export":
            told = erasure.export(found, user_id=user_id, address=address)
            self.stdout.write(ProblemAwareJSONRenderer().render(told).decode())
            return
        begun = erasure.request(found, user_id=user_id, address=address)
        self.stdout.write(f"erasure {begun.id} has begun; nothing more is sent to this person")
