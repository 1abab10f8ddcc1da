"""Links by which a recipient of mail unsubscribes: signed, short, and nothing in them for others to read.

A link names the tenant, the recipient (a customer by id, anybody else by the keyed hash of the address), the category
and the day it was made; it works for LIFETIME_DAYS. No row is kept for it, and one more mail costs microseconds. It
stops working when SECRET_KEY changes.
"""

import hmac
import time
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from functools import lru_cache
from re import compile as pattern

from django.conf import settings

from delivery_gateway.models import NotificationLog
from delivery_gateway.suppressions import address_hash

PATH = "/u/"
LIFETIME_DAYS = 2 * 365  # laws ask for 30 to 60 days; mail is read for years
CUSTOMER, ADDRESS = b"\x01", b"\x02"  # the first byte says what the recipient is named by
WHO_BYTES = {CUSTOMER: 16, ADDRESS: 32}
HEAD, MAC = 1 + 2 + 16, 12  # bytes: kind, day and tenant; then the recipient, the category, the MAC
PURPOSE = b"traffic_control one-click unsubscribe"
LONGEST = 512  # characters of a token
BASE = pattern(r"https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """What a link asks for. Either a customer or an address, by its hash; an empty category is all that may go."""

    tenant_id: uuid.UUID
    category: str
    customer_id: uuid.UUID | None = None
    address_hash: str = ""


class Forged(ValueError):
    """Not a token of ours, or altered since."""


class Expired(ValueError):
    """It was ours, a long time ago."""


def link_for(row: NotificationLog) -> str:
    """Where the recipient of this mail unsubscribes. Empty for what is critical, and without a usable PUBLIC_URL."""
    if row.channel != "email" or row.is_critical or row.mode != "live" or not (base := base_of(settings.PUBLIC_URL)):
        return ""
    return base + PATH + token_for(row.tenant_id, row.customer_id, row.to, row.category)


@lru_cache(maxsize=4)
def base_of(public_url: str) -> str:
    """PUBLIC_URL, unless a mail header could not hold it."""
    return public_url if BASE.fullmatch(public_url) else ""


def token_for(
    tenant_id: uuid.UUID, customer_id: uuid.UUID | None, address: str, category: str, *, now: float | None = None
) -> str:
    day = _day(now).to_bytes(2)
    if customer_id is not None:
        body = CUSTOMER + day + tenant_id.bytes + customer_id.bytes + category.encode()
    else:
        digest = bytes.fromhex(address_hash(tenant_id, address))
        body = ADDRESS + day + tenant_id.bytes + digest + category.encode()
    return _written(body + _mac(body))


def _written(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def read(token: str, *, now: float | None = None) -> Unsubscription:
    """Raises Forged or Expired."""
    body = _proven(token)
    kind, day, tenant_id = body[:1], int.from_bytes(body[1:3]), uuid.UUID(bytes=body[3:HEAD])
    who, category = body[HEAD : HEAD + WHO_BYTES[kind]], body[HEAD + WHO_BYTES[kind] :].decode()
    if _day(now) - day > LIFETIME_DAYS:
        raise Expired("This link is too old.")
    if kind == CUSTOMER:
        return Unsubscription(tenant_id, category, customer_id=uuid.UUID(bytes=who))
    return Unsubscription(tenant_id, category, address_hash=who.hex())


def _day(now: float | None) -> int:
    """The number of a day since 1970; of today, when no time is given."""
    return int(time.time() if now is None else now) // 86_400


def _proven(token: str) -> bytes:
    if len(token) > LONGEST or not token.isascii():
        raise Forged("This is no link of ours.")
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except NotBase64:
        raw = b""
    body, mac = raw[:-MAC], raw[-MAC:]
    if not hmac.compare_digest(_mac(body), mac) or _written(raw) != token:
        raise Forged("This is no link of ours.")
    return body


def _mac(body: bytes) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY), body, "sha256")[:MAC]


@lru_cache(maxsize=4)
def _key(secret_key: str) -> bytes:
    return hmac.digest(secret_key.encode(), PURPOSE, "sha256")
