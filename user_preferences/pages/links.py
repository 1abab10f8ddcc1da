"""Links to a customer's own preference page: signed, for LIFETIME_DAYS, and void as soon as the customer's epoch moves.

A link names the tenant, the customer, their epoch and the day it was made. No row is kept for it.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from traffic_control import audit
from traffic_control.signed_links import Expired, Forged, base_of, day_of, proven, signed
from user_preferences.models import Customer

PATH = "/p/"
LIFETIME_DAYS = 90
PURPOSE = b"traffic_control preference page"
DAY, EPOCH, ID = 2, 2, 16  # bytes
EPOCHS = 1 << 15


@dataclass(frozen=True, slots=True)
class Link:
    tenant_id: uuid.UUID
    customer_id: uuid.UUID
    epoch: int
    day: int


def url_for(customer: Customer) -> str:
    """Empty without a usable PUBLIC_URL."""
    base = base_of(settings.PUBLIC_URL)
    return base + PATH + token_for(customer) if base else ""


def token_for(customer: Customer, *, now: float | None = None) -> str:
    day, epoch = day_of(now).to_bytes(DAY), customer.link_epoch.to_bytes(EPOCH)
    return signed(day + epoch + customer.tenant_id.bytes + customer.pk.bytes, purpose=PURPOSE)


def expires_at(now: float | None = None) -> datetime:
    """Of a link that is made now: the end of its last day."""
    return datetime.fromtimestamp((day_of(now) + LIFETIME_DAYS + 1) * 86_400, UTC)


def read(token: str, *, now: float | None = None) -> Link:
    """Raises Forged or Expired."""
    link = opened(token)
    if day_of(now) - link.day > LIFETIME_DAYS:
        raise Expired("This link is too old.")
    return link


def opened(token: str) -> Link:
    """Whoever's it is, however old. Raises Forged."""
    body = proven(token, purpose=PURPOSE)
    day, epoch = int.from_bytes(body[:DAY]), int.from_bytes(body[DAY : DAY + EPOCH])
    ids = body[DAY + EPOCH :]
    return Link(uuid.UUID(bytes=ids[:ID]), uuid.UUID(bytes=ids[ID:]), epoch, day)


def customer_of(link: Link) -> Customer:
    """Raises Forged when there is no such customer of that tenant, Expired when the link was called back."""
    customer = holder_of(link)
    if customer is None:
        raise Forged("This customer is gone.")
    if customer.link_epoch != link.epoch:
        raise Expired("This link was called back.")
    return customer


def holder_of(link: Link) -> Customer | None:
    """Whose link it was, also when it is void; None when they are gone."""
    rows = Customer.objects.for_tenant(link.tenant_id).select_related("tenant")
    return rows.filter(pk=link.customer_id).first()


@transaction.atomic
def revoke(customer: Customer) -> None:
    """Voids every link to the customer's page there is."""
    row = Customer.objects.for_tenant(customer.tenant_id).filter(pk=customer.pk)
    row.update(link_epoch=(F("link_epoch") + 1) % EPOCHS)
    said = f"Links to the preference page of customer {customer.pk} revoked"
    audit.record("customer.links_revoked", tenant_id=customer.tenant_id, object_id=customer.pk, summary=said)
