"""Callbacks signed as Standard Webhooks say: of anything that has no vocabulary of its own, and of Svix's customers.

`{"type": "notification.bounced", "data": {"id": "…", "permanent": true, "code": "…", "detail": "…"}}`
"""

import hmac
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from delivery_gateway.callbacks.contract import WINDOW, Kind, News, forged, stale, unreadable
from tenants.integrations import SIGNING_PREFIX

TYPE = "notification."
SIGNATURES = 10  # of a call; more are not looked at


def prove(headers: Mapping[str, str], body: bytes, secret: str, *, now: float, prefix: str = "webhook") -> str:
    """The id of the message. Raises Problem."""
    message_id, sent_at = headers.get(f"{prefix}-id", ""), headers.get(f"{prefix}-timestamp", "")
    signed = b".".join((message_id.encode(), sent_at.encode(), body))
    wanted = b64encode(hmac.digest(b64decode(secret.removeprefix(SIGNING_PREFIX)), signed, "sha256"))
    given = headers.get(f"{prefix}-signature", "").split(" ")[:SIGNATURES]
    if not message_id or not any(hmac.compare_digest(b"v1," + wanted, one.encode()) for one in given):
        raise forged()
    if not is_recent(sent_at, now=now, window=WINDOW):
        raise stale()
    return message_id


def is_recent(sent_at: Any, *, now: float, window: float) -> bool:
    text = str(sent_at)
    return text.isascii() and text.isdigit() and len(text) < 15 and abs(now - int(text)) <= window


def read(message: Any, key: str) -> News:
    """Raises Problem."""
    try:
        data, kind = message["data"], str(message["type"])
        return News(
            kind=_kind(kind),
            notification_id=uuid.UUID(data["id"]),
            key=key,
            is_permanent=data.get("permanent") is True,
            code=str(data.get("code") or ""),
            detail=str(data.get("detail") or ""),
            occurred_at=_moment(message.get("timestamp")),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise unreadable() from None


def _kind(text: str) -> Kind:
    name = text.removeprefix(TYPE)
    return Kind(name) if text.startswith(TYPE) and name in set(Kind) else Kind.OTHER


def _moment(text: Any) -> Any:
    moment = parse_datetime(text) if isinstance(text, str) else None
    return moment if moment is not None and moment.tzinfo is not None else None
