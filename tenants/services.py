"""Changes to tenants and their keys."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import EllipsisType

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from tenants import integrations, keys
from tenants import scopes as known_scopes
from tenants.key_cache import KEYS
from tenants.models import ApiKey, Tenant
from tenants.providers import STANDARD_WEBHOOKS
from tenants.signals import tenant_registered
from traffic_control import audit
from traffic_control.errors import Problem, invalid

FIRST_KEYS = {ApiKey.Mode.LIVE: "First live key", ApiKey.Mode.TEST: "First test key"}


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
    live, test = _first_keys(tenant)
    tenant_registered.send(sender=Tenant, tenant=tenant)
    return Registration(tenant, live, test, signing_secret)


@transaction.atomic
def renew_first_keys(tenant: Tenant) -> tuple[str, str]:
    """New ones in place of those that `register` made: live, test."""
    old = list(ApiKey.objects.for_tenant(tenant).filter(name__in=FIRST_KEYS.values(), revoked_at=None))
    fresh = _first_keys(tenant)
    for key in old:
        revoke(key)
    return fresh


def _first_keys(tenant: Tenant) -> tuple[str, str]:
    live, test = (keys.issue(tenant, mode, name=name, scopes=known_scopes.ALL)[1] for mode, name in FIRST_KEYS.items())
    return live, test


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
def change_tenant(
    tenant: Tenant,
    *,
    name: str = "",
    email: str = "",
    channel_defaults: Mapping[str, bool | None] | None = None,
    default_locale: str | None = None,
    timezone: str | None = None,
    content_days: int | EllipsisType | None = ...,
    inbox_origins: Sequence[str] | None = None,
) -> Tenant:
    """What is not given stays. Defaults merge channel by channel; None goes back to the system's default."""
    row = Tenant.objects.select_for_update().get(pk=tenant.pk)
    row.name, row.email = name or row.name, email or row.email
    merged = {**row.channel_defaults, **(channel_defaults or {})}
    row.channel_defaults = {channel: is_on for channel, is_on in merged.items() if is_on is not None}
    row.default_locale = row.default_locale if default_locale is None else default_locale
    row.timezone = row.timezone if timezone is None else timezone
    if not isinstance(content_days, EllipsisType):
        row.content_days = content_days
    row.inbox_origins = row.inbox_origins if inbox_origins is None else sorted(set(inbox_origins))
    row.save()
    return row


def issue_for(
    caller: ApiKey,
    *,
    name: str,
    mode: str = "",
    scopes: Sequence[str] = known_scopes.LEAST,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """As `keys.issue`, with no more power than the calling key has. Raises Problem."""
    _refuse_test_key(caller, mode or caller.mode)
    if beyond := [scope for scope in scopes if scope not in caller.scopes]:
        detail = f'The calling key has no scope "{beyond[0]}", so it cannot give it. It has {", ".join(caller.scopes)}.'
        raise invalid("/scopes", detail, code="scope_not_held")
    return keys.issue(caller.tenant, mode or caller.mode, name=name, scopes=scopes, expires_at=expires_at)


def revoke_as(caller: ApiKey, key: ApiKey) -> None:
    """As `revoke`, asked for by a key of the same tenant."""
    _refuse_test_key(caller, key.mode)
    revoke(key)


def _refuse_test_key(caller: ApiKey, mode: str) -> None:
    """Test keys lie about in test environments: none may turn into a live one."""
    if caller.mode == ApiKey.Mode.TEST and mode == ApiKey.Mode.LIVE:
        raise Problem("live_key_needed", "A test key cannot make or revoke live keys. Use a live key.", status=403)


@transaction.atomic
def revoke(key: ApiKey) -> None:
    """Refused within 5 s everywhere. Raises Problem 409 `last_admin_key` when nobody could make keys afterwards.

    Rotation makes the new key first, so this stands in nobody's way; without it one call would leave a tenant that
    only the operator can let in again.
    """
    refuse_last_admin_key(key)
    if ApiKey.objects.for_tenant(key.tenant_id).filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record("api_key.revoked", tenant_id=key.tenant_id, object_id=key.pk, summary=f"API key {key} revoked")
    transaction.on_commit(lambda: KEYS.forget(key.public_id))


@transaction.atomic
def refuse_last_admin_key(key: ApiKey) -> None:
    """Raises Problem 409. Locks the tenant's row: of two callers who take away one of two keys, the second finds it."""
    Tenant.objects.select_for_update().get(pk=key.tenant_id)
    if is_last_admin_key(key):
        detail = "This is the last live key with the scope admin. Create another one first: POST /v1/api-keys/."
        raise Problem("last_admin_key", detail, status=409)


@transaction.atomic
def change_scopes(key: ApiKey, wanted: Iterable[str]) -> bool:
    """Narrower or wider, by an operator and no key: it counts within 5 s everywhere. False when nothing changes.

    Raises Problem 409 `last_admin_key`, as `revoke` does.
    """
    mine = ApiKey.objects.for_tenant(key.tenant_id).filter(pk=key.pk)
    scopes, before = known_scopes.in_order(wanted), mine.select_for_update().get().scopes
    if scopes == before:
        return False
    if "admin" not in scopes:
        refuse_last_admin_key(key)
    mine.update(scopes=scopes)
    audit.record(
        "api_key.scopes_changed",
        tenant_id=key.tenant_id,
        object_id=key.pk,
        summary=f"API key {key} may {', '.join(scopes)} from now on; before: {', '.join(before)}",
        changes={"scopes": (before, scopes)},
    )
    transaction.on_commit(lambda: KEYS.forget(key.public_id))
    return True


@transaction.atomic
def grant_scope(key: ApiKey, scope: str) -> bool:
    """What an operator may do, and no key: it counts within 5 s everywhere. False when it had it."""
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    if scope in row.scopes:
        return False
    before, row.scopes = row.scopes, known_scopes.in_order([*row.scopes, scope])
    row.save(update_fields=["scopes"])
    audit.record(
        "api_key.scope_granted",
        tenant_id=row.tenant_id,
        object_id=row.pk,
        summary=f"API key {row} given the scope {scope}",
        changes={"scopes": (before, row.scopes)},
    )
    transaction.on_commit(lambda: KEYS.forget(row.public_id))
    return True


def is_last_admin_key(key: ApiKey) -> bool:
    """Test keys do not count: they cannot make live ones."""
    admins = [k.pk for k in usable_keys(key.tenant) if k.mode == ApiKey.Mode.LIVE and "admin" in k.scopes]
    return admins == [key.pk]


def usable_keys(tenant: Tenant) -> list[ApiKey]:
    """Neither revoked nor expired. Scopes are compared in Python: SQLite cannot look into JSON lists."""
    now = timezone.now()
    unrevoked = ApiKey.objects.for_tenant(tenant).filter(revoked_at=None)
    return [key for key in unrevoked if key.expires_at is None or key.expires_at > now]
