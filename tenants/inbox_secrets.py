"""What a tenant signs its users' inbox tokens with: never the API key; two at a time, so that one can follow another.

Unlike API keys they have to be read again, to check signatures; so they are sealed (`tenants.vault`), not hashed.
"""

import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction

from tenants import vault
from tenants.models import InboxSecret, Tenant
from traffic_control import audit
from traffic_control.errors import Problem
from traffic_control.ids import uuid7
from traffic_control.scope import across_tenants

MOST = 2  # of a tenant
PREFIX = "isk_"
KID = re.compile(r"[0-9a-f]{16}")
SEALED = "secret"


@dataclass(frozen=True, slots=True)
class Signer:
    """One secret, opened, and whose it is."""

    kid: str
    tenant: Tenant
    secret: bytes = field(repr=False)


@transaction.atomic
def issue(tenant: Tenant) -> tuple[InboxSecret, str]:
    """A new one and its text, which is shown once. Raises Problem 409 `inbox_secret_limit`."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    if InboxSecret.objects.for_tenant(tenant).count() >= MOST:
        detail = f"There are {MOST} inbox secrets. Delete the older one first: DELETE /v1/inbox-secrets/{{kid}}/."
        raise Problem("inbox_secret_limit", detail, status=409)
    return _made(tenant)


def _made(tenant: Tenant) -> tuple[InboxSecret, str]:
    raw = PREFIX + secrets.token_urlsafe(32)
    row = InboxSecret(id=uuid7(), tenant=tenant, kid=secrets.token_hex(8), last_four=raw[-4:])
    row.sealed = vault.seal({SEALED: raw}, tenant_id=tenant.id, integration_id=row.id)
    row.save(force_insert=True)
    audit.record(
        "inbox_secret.created", tenant_id=tenant.id, object_id=row.pk, summary=f"Inbox secret {row.kid} created"
    )
    return row, raw


@transaction.atomic
def revoke(row: InboxSecret) -> None:
    """Tokens that it signed are refused within 5 s everywhere."""
    row.delete()
    summary = f"Inbox secret {row.kid} deleted"
    audit.record("inbox_secret.deleted", tenant_id=row.tenant_id, object_id=row.kid, summary=summary)
    transaction.on_commit(SIGNERS.clear)


@transaction.atomic
def newest_of(tenant: Tenant) -> Signer:
    """To sign with; a tenant that has none gets its first."""
    newest = InboxSecret.objects.for_tenant(tenant).order_by("-id")
    row = newest.first()
    if row is None:
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        row = newest.first() or _made(tenant)[0]
    return _opened(row, tenant)


def _opened(row: InboxSecret, tenant: Tenant) -> Signer:
    values = vault.unseal(row.sealed, tenant_id=row.tenant_id, integration_id=row.id)
    return Signer(row.kid, tenant, values[SEALED].encode())


@dataclass
class SignerCache:
    """Signers by kid, at most `seconds` old: the longest that a deleted one still counts. See `tenants.key_cache`."""

    seconds: float = 4.0
    size: int = 10_000
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, tuple[float, Signer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, kid: str) -> Signer | None:
        """None for what is no kid, or nobody's, or does not open any more."""
        if not KID.fullmatch(kid):
            return None
        kept = self._kept.get(kid)
        if kept and self.clock() - kept[0] < self.seconds:
            return kept[1]
        with across_tenants():  # whose it is, is the question
            row = InboxSecret.objects.select_related("tenant").filter(kid=kid).first()
        try:
            signer = _opened(row, row.tenant) if row else None
        except vault.Unopenable:
            signer = None
        self._keep(kid, signer)
        return signer

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def _keep(self, kid: str, signer: Signer | None) -> None:
        with self._lock:
            self._kept.pop(kid, None)
            if signer is not None:
                self._kept[kid] = self.clock(), signer
            while len(self._kept) > self.size:
                del self._kept[next(iter(self._kept))]


SIGNERS = SignerCache()
