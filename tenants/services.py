"""Changes to tenants and their keys."""

import secrets
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from tenants import integrations, keys, scopes
from tenants.key_cache import KEYS
from tenants.models import ApiKey, Tenant
from tenants.providers import STANDARD_WEBHOOKS
from traffic_control.errors import Problem


@dataclass(frozen=True, slots=True)
class Registration:
    """A new tenant and its secrets, which are shown once and nowhere stored in the clear."""

    tenant: Tenant
    api_key: str = field(repr=False)
    test_api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


@transaction.atomic
def register(name: str, email: str) -> Registration:
    """A tenant with a live and a test key of every scope, and a webhook integration to sign with."""
    tenant = create_tenant(name, email)
    signing_secret = integrations.new_signing_secret()
    integrations.create(tenant, "webhook", provider=STANDARD_WEBHOOKS, values={"secret": signing_secret})
    _, live = keys.issue(tenant, ApiKey.Mode.LIVE, name="First live key", scopes=scopes.ALL)
    _, test = keys.issue(tenant, ApiKey.Mode.TEST, name="First test key", scopes=scopes.ALL)
    return Registration(tenant, live, test, signing_secret)


def create_tenant(name: str, email: str) -> Tenant:
    """Its slug is made from the name; the second tenant of a name gets a random ending."""
    base = slugify(name)[:100] or "tenant"
    slug = base
    while True:
        try:
            with transaction.atomic():
                return Tenant.objects.create(name=name, email=email, slug=slug)
        except IntegrityError:
            slug = f"{base}-{secrets.token_hex(3)}"


@transaction.atomic
def revoke(key: ApiKey) -> None:
    """Refused within 5 s everywhere. Raises Problem 409 `last_admin_key` when nobody could make keys afterwards.

    Rotation makes the new key first, so this stands in nobody's way; without it one call would leave a tenant that
    only the operator can let in again.
    """
    Tenant.objects.select_for_update().get(pk=key.tenant_id)
    if is_last_admin_key(key):
        detail = "This is the last live key with the scope admin. Create another one first: POST /v1/api-keys/."
        raise Problem("last_admin_key", detail, status=409)
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    transaction.on_commit(lambda: KEYS.forget(key.public_id))


def is_last_admin_key(key: ApiKey) -> bool:
    """Test keys do not count: they cannot make live ones."""
    admins = [k.pk for k in usable_keys(key.tenant) if k.mode == ApiKey.Mode.LIVE and "admin" in k.scopes]
    return admins == [key.pk]


def usable_keys(tenant: Tenant) -> list[ApiKey]:
    """Neither revoked nor expired. Scopes are compared in Python: SQLite cannot look into JSON lists."""
    now = timezone.now()
    unrevoked = ApiKey.objects.filter(tenant=tenant, revoked_at=None)
    return [key for key in unrevoked if key.expires_at is None or key.expires_at > now]
