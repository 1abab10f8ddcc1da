from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bench import work
from bench.plain.authentication import digest
from bench.plain.models import ApiKey, MessageTemplate, Preference, Tenant


class Command(BaseCommand):
    help = "One tenant with a key, its templates, and customers who want email and webhook but not Slack."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--key", required=True)
        parser.add_argument("--hook", required=True)

    def handle(self, *_: Any, key: str, hook: str, **__: Any) -> None:
        tenant = Tenant.objects.create(name="Paper & Pens")
        ApiKey.objects.create(tenant=tenant, digest=digest(key))
        for channel in ("email", "webhook", "slack"):
            MessageTemplate.objects.create(
                tenant=tenant, name=work.TEMPLATE, channel=channel, subject=work.SUBJECT, body=work.BODY
            )
        for number in range(work.CUSTOMERS):
            Preference.objects.bulk_create(self._preferences(tenant, f"u{number}", hook))

    def _preferences(self, tenant: Tenant, user_id: str, hook: str) -> list[Preference]:
        addresses = {"email": f"{user_id}@example.com", "webhook": hook, "slack": hook}
        return [
            Preference(tenant=tenant, user_id=user_id, channel=channel, address=address, wanted=channel != "slack")
            for channel, address in addresses.items()
        ]
