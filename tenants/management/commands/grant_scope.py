"""`manage.py grant_scope`"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from tenants import scopes, services
from tenants.models import ApiKey


class Command(BaseCommand):
    help = (
        "Gives existing API keys a scope that came with a new version: keys keep what they were given, and can give "
        "other keys no more than they have. Nothing has to be restarted; it counts within five seconds, and is audited."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scope", choices=scopes.ALL)
        parser.add_argument("keys", nargs="*", metavar="KEY", help="As lists show it (sk_live_…), or its id.")
        parser.add_argument("--to-full-keys", action="store_true", help="Every key that has all the other scopes.")

    def handle(self, *args: Any, **options: Any) -> None:
        scope, named = options["scope"], options["keys"]
        if bool(named) is options["to_full_keys"]:
            raise CommandError("Name keys, or --to-full-keys.")
        for key in full_keys(scope) if options["to_full_keys"] else [self._key(given) for given in named]:
            granted = services.grant_scope(key, scope)
            self.stdout.write(f"{key} of {key.tenant.slug} {'has' if granted else 'had'} the scope {scope}")

    @staticmethod
    def _key(given: str) -> ApiKey:
        """A raw key may be typed here, too: only its public part is looked at."""
        parts = given.split("_")
        wanted = Q(public_id=parts[2]) if len(parts) > 2 else Q(pk=_uuid(given))
        key = ApiKey.objects.select_related("tenant").filter(wanted, revoked_at=None).first()
        if key is None:
            raise CommandError(f'There is no key "{"_".join(parts[:3])}" that is not revoked.')
        return key


def _uuid(given: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(given)
    except ValueError:
        return None


def full_keys(scope: str) -> Sequence[ApiKey]:
    """Those that have all scopes but this one: as a tenant's first keys had them when there were no more."""
    others = set(scopes.ALL) - {scope}
    unrevoked = ApiKey.objects.filter(revoked_at=None).select_related("tenant").order_by("id")
    return [key for key in unrevoked if others <= set(key.scopes) and scope not in key.scopes]
