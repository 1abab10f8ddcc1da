"""Addresses that must not be written to: which, why, and how far that goes.

A suppression's scope is everything (the mailbox is gone, so a critical message would not arrive either), all that is
not critical (its owner complained), or one category (its owner unsubscribed from it). An address is kept as a keyed
hash, so the list gives nobody away.
"""

import hmac
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from delivery_gateway.models import Suppression

EVERYTHING, NOT_CRITICAL = "", "*"  # any other scope is the name of a category
Address = tuple[uuid.UUID, str, str]  # tenant, channel, address


@dataclass(frozen=True, slots=True)
class Suppressions:
    """What is known against some addresses: by address, the reason in each scope."""

    reasons: Mapping[Address, Mapping[str, str]]

    def against(self, address: Address, *, category: str, is_critical: bool) -> str:
        """Why a message about this must not go there; empty when it may."""
        if not self.reasons:
            return ""
        found = self.reasons.get(address, {})
        scopes = (EVERYTHING,) if is_critical else (EVERYTHING, NOT_CRITICAL, category)
        return next((found[scope] for scope in scopes if scope in found), "")


def address_hash(tenant_id: uuid.UUID, address: str) -> str:
    """Suppressed addresses are kept as this only: an HMAC under SECRET_KEY, per tenant."""
    text = f"{tenant_id}:{address.strip().lower()}"
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256").hex()


def among(addresses: Iterable[Address]) -> Suppressions:
    """Those of these addresses that are suppressed in any scope. One query."""
    hashes = {(channel, address_hash(tenant, to)): (tenant, channel, to) for tenant, channel, to in addresses if to}
    if not hashes:
        return Suppressions({})
    found = Suppression.objects.filter(
        tenant_id__in={tenant for tenant, _, _ in hashes.values()}, address_hash__in={digest for _, digest in hashes}
    ).values_list("channel", "address_hash", "scope", "reason")
    reasons: dict[Address, dict[str, str]] = {}
    for channel, digest, scope, reason in found:
        if address := hashes.get((channel, digest)):
            reasons.setdefault(address, {})[scope] = reason
    return Suppressions(reasons)


def add(tenant_id: uuid.UUID, channel: str, digest: str, *, scope: str, reason: str) -> Suppression | None:
    """The new entry; None when the address, by its hash, is suppressed in this scope already."""
    row, is_new = Suppression.objects.get_or_create(
        tenant_id=tenant_id, channel=channel, address_hash=digest, scope=scope, defaults={"reason": reason[:100]}
    )
    return row if is_new else None


def remove(tenant_id: uuid.UUID, channel: str, digest: str, *, scope: str, reason: str) -> bool:
    """False when there was no such entry for this reason."""
    rows = Suppression.objects.filter(tenant_id=tenant_id, channel=channel, address_hash=digest, scope=scope)
    return bool(rows.filter(reason=reason).delete()[0])
