"""Links by which a recipient of mail unsubscribes: signed, short, and nothing in them for others to read.

A link names the tenant, the recipient (a customer by id, anybody else by the keyed hash of the address), the category
and the day it was made; it works for LIFETIME_DAYS. No row is kept for it, and one more mail costs microseconds. It
stops working when SECRET_KEY changes.
"""

import uuid
from dataclasses import dataclass

from django.conf import settings

from delivery_gateway.models import NotificationLog
from delivery_gateway.suppressions import address_hash
from traffic_control.signed_links import Expired, base_of, day_of, proven, signed

PATH = "/u/"
LIFETIME_DAYS = 2 * 365  # laws ask for 30 to 60 days; mail is read for years
CUSTOMER, ADDRESS = b"\x01", b"\x02"  # the first byte says what the recipient is named by
WHO_BYTES = {CUSTOMER: 16, ADDRESS: 32}
HEAD = 1 + 2 + 16  # bytes: kind, day and tenant; then the recipient and the category
PURPOSE = b"traffic_control one-click unsubscribe"


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """What a link asks for. Either a customer or an address, by its hash; an empty category is all that may go."""

    tenant_id: uuid.UUID
    category: str
    customer_id: uuid.UUID | None = None
    address_hash: str = ""


def link_for(row: NotificationLog) -> str:
    """Where the recipient of this mail unsubscribes. Empty for what is critical, and without a usable PUBLIC_URL."""
    if row.channel != "email" or row.is_critical or row.mode != "live" or not (base := base_of(settings.PUBLIC_URL)):
        return ""
    return base + PATH + token_for(row.tenant_id, row.customer_id, row.to, row.category)


def token_for(
    tenant_id: uuid.UUID, customer_id: uuid.UUID | None, address: str, category: str, *, now: float | None = None
) -> str:
    day = day_of(now).to_bytes(2)
    if customer_id is not None:
        body = CUSTOMER + day + tenant_id.bytes + customer_id.bytes + category.encode()
    else:
        digest = bytes.fromhex(address_hash(tenant_id, address))
        body = ADDRESS + day + tenant_id.bytes + digest + category.encode()
    return signed(body, purpose=PURPOSE)


def read(token: str, *, now: float | None = None) -> Unsubscription:
    """Raises Forged or Expired."""
    body = proven(token, purpose=PURPOSE)
    kind, day, tenant_id = body[:1], int.from_bytes(body[1:3]), uuid.UUID(bytes=body[3:HEAD])
    who, category = body[HEAD : HEAD + WHO_BYTES[kind]], body[HEAD + WHO_BYTES[kind] :].decode()
    if day_of(now) - day > LIFETIME_DAYS:
        raise Expired("This link is too old.")
    if kind == CUSTOMER:
        return Unsubscription(tenant_id, category, customer_id=uuid.UUID(bytes=who))
    return Unsubscription(tenant_id, category, address_hash=who.hex())
