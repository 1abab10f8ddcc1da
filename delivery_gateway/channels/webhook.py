"""Webhooks to a tenant's own systems, signed as Standard Webhooks (https://www.standardwebhooks.com) say.

`webhook-id` is the notification's id on every attempt: the receiver recognises a repeat by it.
"""

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from delivery_gateway.channels.http import read_hook, refusal
from delivery_gateway.channels.spec import CALLBACK_SECRET, RATE, ChannelSpec, Setting
from delivery_gateway.contract import EXCERPT, DeliveryError, Message, Receipt, RecipientGone
from delivery_gateway.egress import Egress

PREFIX = "whsec_"
MIN_KEY, MAX_KEY = 24, 64  # bytes
CLASSES: Mapping[int, type[DeliveryError]] = {410: RecipientGone}  # "disable this endpoint"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = ("webhook-", "content-", "host", "connection", "transfer-encoding", "idempotency-key")


@dataclass(frozen=True)
class Webhook:
    """`keys`: the current one first; while a secret is being rotated, the one before it signs too."""

    egress: Egress
    keys: tuple[bytes, ...] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    clock: Callable[[], float] = time.time

    def send(self, message: Message) -> Receipt:
        body, now, message_id = orjson.dumps(payload(message)), int(self.clock()), str(message.id)
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": str(now),
            "webhook-signature": " ".join([sign(key, message_id, now, body) for key in self.keys]),
            "Idempotency-Key": message_id,
        }
        reply = self.egress.post(message.address, body=body, headers={**self.headers, **signed})
        if not reply.is_success:
            raise refusal(reply, CLASSES)
        return Receipt(detail=reply.text[:EXCERPT], http_status=reply.status)

    def prove(self, address: str) -> str:
        return self.egress.reach(address) if address else ""

    def close(self) -> None:
        """Connections belong to the egress."""


def payload(message: Message) -> dict[str, Any]:
    """The same on every attempt: `timestamp` is the notification's, not the attempt's."""
    return {
        "type": read_type(message.event_type),
        "timestamp": _rfc3339(message.created_at or datetime.now(UTC)),
        "data": {
            "id": message.id,
            "event_id": message.event_id,
            "user_id": message.user_id or None,
            "subject": message.subject,
            "body": message.body,
            "payload": message.payload,
        },
    }


@lru_cache(maxsize=1_024)
def read_type(event_type: str) -> str:
    """Dot-separated segments of `[a-zA-Z0-9_]`; "notification" when nothing is left."""
    segments = (re.sub(r"[^a-zA-Z0-9_]+", "_", part) for part in event_type.split("."))
    return ".".join(segment for segment in segments if segment) or "notification"


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def read_secret(text: str) -> bytes:
    """The key in `whsec_…`. Raises ValueError."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(PREFIX) or not MIN_KEY <= len(key) <= MAX_KEY:
        raise ValueError(f"A webhook secret is {PREFIX} and the base64 of {MIN_KEY} to {MAX_KEY} random bytes.")
    return key


def read_headers(text: str) -> dict[str, str]:
    """One `Name: value` a line. Raises ValueError for what HTTP or the signature does not allow."""
    headers: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not _HEADER_NAME.fullmatch(name) or not value.isprintable() or not value.isascii():
            raise ValueError("Headers are written one a line, as 'Name: value', in ASCII.")
        if name.lower().startswith(_OURS):
            raise ValueError(f"The header {name} is set by the signature or by HTTP itself.")
        headers[name] = value
    return headers


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def for_tenant(values: Mapping[str, str], settings: Any, egress: Egress) -> Webhook:
    secrets = (values.get("secret"), values.get("previous_secret"))
    return Webhook(egress, tuple(read_secret(s) for s in secrets if s), read_headers(values.get("headers", "")))


def for_platform(settings: Any, egress: Egress) -> None:
    """Nothing: a signature needs the tenant's secret, which its webhook integration holds from registration on."""


SPEC = ChannelSpec(
    name="webhook",
    lane="webhook",
    provider="standard_webhooks",
    settings=(
        Setting("secret", "Signing secret, whsec_…", is_secret=True, is_required=True),
        Setting("previous_secret", "The secret before, which signs too while receivers change over", is_secret=True),
        Setting("url", "Endpoint for messages without an address of their own"),
        Setting("headers", "Further headers, one 'Name: value' a line", is_secret=True),
        RATE,
        CALLBACK_SECRET,
    ),
    for_tenant=for_tenant,
    for_platform=for_platform,
    address_setting="url",
    validate_address=read_hook,
)
