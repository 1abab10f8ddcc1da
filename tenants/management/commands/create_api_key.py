"""`manage.py create_api_key`"""

import contextlib
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from tenants import keys, scopes
from tenants.models import ApiKey, Tenant


class Command(BaseCommand):
    help = "Makes an API key for a tenant and prints it, once: for a tenant without any, or one that lost its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="Its slug or id.")
        parser.add_argument("--mode", choices=ApiKey.Mode.values, default=ApiKey.Mode.LIVE)
        parser.add_argument("--name", default="Made by the operator")
        parser.add_argument("--scopes", default=",".join(scopes.ALL), help="Comma-separated. Default: all of them.")
        parser.add_argument("--expires-at", help="RFC 3339, for example 2030-01-31T00:00:00Z. Default: never.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = [scope.strip() for scope in options["scopes"].split(",")]
        if unknown := [scope for scope in wanted if scope not in scopes.SCOPES]:
            raise CommandError(f'There is no scope "{unknown[0]}". Scopes: {", ".join(scopes.ALL)}.')
        expires_at = self._moment(options["expires_at"])
        key, raw = keys.issue(
            self._tenant(options["tenant"]), options["mode"], name=options["name"], scopes=wanted, expires_at=expires_at
        )
        self.stdout.write(raw)
        self.stderr.write(f"{key.name} of {key.tenant.slug}, with {', '.join(key.scopes)}")

    @staticmethod
    def _tenant(given: str) -> Tenant:
        wanted = Q(slug=given)
        with contextlib.suppress(ValueError):
            wanted |= Q(pk=uuid.UUID(given))
        if (tenant := Tenant.objects.filter(wanted).first()) is None:
            raise CommandError(f'There is no tenant with the slug or id "{given}".')
        return tenant

    @staticmethod
    def _moment(given: str | None) -> Any:
        if given is None:
            return None
        try:
            moment = parse_datetime(given)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or moment <= timezone.now():
            raise CommandError(f'"{given}" is not a future time like 2030-01-31T00:00:00Z.')
        return moment
