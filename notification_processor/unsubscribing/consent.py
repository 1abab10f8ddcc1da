"""What an unsubscription changes, and what its page may say about it. Mail only: no other channel has such links."""

import uuid
from dataclasses import dataclass

from django.db import transaction

from delivery_gateway import suppressions
from delivery_gateway.suppressions import NOT_CRITICAL
from delivery_gateway.unsubscribe_links import Unsubscription
from tenants.masking import mask
from tenants.models import Tenant
from traffic_control import audit
from user_preferences import unsubscribing
from user_preferences.consent_log import BY_LINK, Voice
from user_preferences.models import Customer
from user_preferences.policy import EVERY

CHANNEL = "email"
REASON = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Wish:
    """As the page shows it. An empty category: all mail that is not essential; no address: we keep but its hash.

    `locale` is the customer's, else the tenant's, and may be empty.
    """

    sender: str
    category: str
    address: str
    locale: str


def about(asked: Unsubscription) -> Wish | None:
    """None when the tenant is gone."""
    tenant = Tenant.objects.filter(pk=asked.tenant_id).first()
    if tenant is None:
        return None
    customer = _customer(tenant.pk, asked.customer_id)
    address = mask(customer.email) if customer else ""
    locale = customer.locale if customer and customer.locale else tenant.default_locale
    return Wish(tenant.name, _category(asked), address, locale)


def honour(asked: Unsubscription, voice: Voice = BY_LINK) -> bool:
    """From the commit on, the router keeps back what this is about. False when nothing had to change."""
    if asked.customer_id is not None:
        category = _category(asked) or EVERY
        about = {"category": category, "channel": CHANNEL}
        return unsubscribing.unsubscribe(asked.tenant_id, asked.customer_id, **about, voice=voice)
    return _suppress(asked)


def undo(asked: Unsubscription, voice: Voice = BY_LINK) -> bool:
    """Takes back what such a link did, and nothing that was decided elsewhere. False when there was nothing."""
    if asked.customer_id is not None:
        category = _category(asked) or EVERY
        about = {"category": category, "channel": CHANNEL}
        return unsubscribing.undo(asked.tenant_id, asked.customer_id, **about, voice=voice)
    return _unsuppress(asked)


@transaction.atomic
def _unsuppress(asked: Unsubscription) -> bool:
    scope = _category(asked) or NOT_CRITICAL
    if not suppressions.remove(asked.tenant_id, CHANNEL, asked.address_hash, scope=scope, reason=REASON):
        return False
    audit.record(
        "suppression.undone",
        tenant_id=asked.tenant_id,
        object_id="",
        summary=f"An address that is no customer's took back having unsubscribed on {CHANNEL}",
        actor=audit.Actor(audit.RECIPIENT),
    )
    return True


@transaction.atomic
def _suppress(asked: Unsubscription) -> bool:
    scope = _category(asked) or NOT_CRITICAL
    row = suppressions.add(asked.tenant_id, CHANNEL, asked.address_hash, scope=scope, reason=REASON)
    if row is None:
        return False
    what = f'"{asked.category}"' if scope != NOT_CRITICAL else "everything that is not critical"
    audit.record(
        "suppression.unsubscribed",
        tenant_id=asked.tenant_id,
        object_id=row.pk,
        summary=f"An address that is no customer's unsubscribed from {what} on {CHANNEL}",
        actor=audit.Actor(audit.RECIPIENT, str(row.pk)),
    )
    return True


def _category(asked: Unsubscription) -> str:
    """A category that is called as the scope of all is that scope."""
    return "" if asked.category == NOT_CRITICAL else asked.category


def _customer(tenant_id: uuid.UUID, customer_id: uuid.UUID | None) -> Customer | None:
    if customer_id is None:
        return None
    return Customer.objects.for_tenant(tenant_id).filter(pk=customer_id).only("email", "locale").first()
