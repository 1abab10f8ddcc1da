"""Plays mail services that call back: bodies and proofs as their documentation shows them."""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from standardwebhooks import Webhook

PASSWORD = "calls-back:a-long-enough-password"
SIGNING_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
MAILGUN_KEY = "0123456789abcdef0123456789abcdef"
SECRETS = {"mailgun": MAILGUN_KEY, "resend": SIGNING_SECRET, "standard_webhooks": SIGNING_SECRET}
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DIAGNOSIS = "smtp; 550 5.1.1 The email account that you tried to reach does not exist: Bob@example.com"


@dataclass(frozen=True)
class Call:
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def secret_of(service: str) -> str:
    return SECRETS.get(service, PASSWORD)


def call(service: str, kind: str, notification: str, *, sent_at: float | None = None, secret: str = "") -> Call:
    """As `service` would tell of that notification: delivered, bounced (for good), soft, complained or opened."""
    body = BODIES[service](kind, notification)
    if service == "mailgun":
        body["signature"] = mailgun_signature(sent_at or time.time(), secret or MAILGUN_KEY)
        return Call(json.dumps(body).encode())
    text = json.dumps(body)
    if service in ("resend", "standard_webhooks"):
        prefix = "svix" if service == "resend" else "webhook"
        return Call(text.encode(), signed(text, prefix, sent_at or time.time(), secret or SIGNING_SECRET))
    return Call(text.encode(), {"authorization": f"Basic {b64encode((secret or PASSWORD).encode()).decode()}"})


def signed(text: str, prefix: str, sent_at: float, secret: str, message_id: str = "") -> dict[str, str]:
    message_id = message_id or f"msg_{uuid4().hex}"
    signature = Webhook(secret).sign(message_id, datetime.fromtimestamp(int(sent_at), UTC), text)
    values = {"id": message_id, "timestamp": str(int(sent_at)), "signature": f"v1,AAAA {signature}"}
    return {f"{prefix}-{name}": value for name, value in values.items()}


def mailgun_signature(sent_at: float, key: str) -> dict[str, str]:
    stamp, token = str(int(sent_at)), uuid4().hex
    return {
        "timestamp": stamp,
        "token": token,
        "signature": hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest(),
    }


def _mailgun(kind: str, notification: str) -> dict[str, Any]:
    about: dict[str, Any] = {
        "event": {"bounced": "failed", "soft": "failed"}.get(kind, kind),
        "id": uuid4().hex,
        "timestamp": NOW.timestamp(),
        "recipient": "Bob@example.com",
        "message": {"headers": {"message-id": f"{notification}@acme.example", "to": "Bob@example.com"}},
        "user-variables": {},
        "tags": [],
    }
    if kind in ("bounced", "soft"):
        reason = "bounce" if kind == "bounced" else "old"
        about |= {"severity": "permanent", "reason": reason, "delivery-status": {"code": 550, "message": DIAGNOSIS}}
    return {"event-data": about}


def _postmark(kind: str, notification: str) -> dict[str, Any]:
    records = {"delivered": "Delivery", "complained": "SpamComplaint", "opened": "Open"}
    told: dict[str, Any] = {
        "RecordType": records.get(kind, "Bounce"),
        "MessageID": str(uuid4()),
        "ServerID": 23,
        "MessageStream": "outbound",
        "Metadata": {"notification": notification},
        "DeliveredAt" if kind == "delivered" else "BouncedAt": "2026-11-21T09:30:00Z",
        "Details": "Test delivery webhook details" if kind == "delivered" else DIAGNOSIS,
        "Email": "Bob@example.com",
    }
    types = {"bounced": "HardBounce", "soft": "SoftBounce", "complained": "SpamComplaint"}
    return told | ({"Type": types[kind], "ID": 4323372036854775807} if kind in types else {})


def _resend(kind: str, notification: str) -> dict[str, Any]:
    names = {"soft": "bounced"}
    data: dict[str, Any] = {
        "email_id": str(uuid4()),
        "from": "Acme <orders@acme.example>",
        "to": ["Bob@example.com"],
        "subject": "News",
        "headers": [{"name": "X-Metadata", "value": json.dumps({"notification": notification})}],
    }
    if kind in ("bounced", "soft"):
        how = "Permanent" if kind == "bounced" else "Transient"
        data["bounce"] = {"type": how, "subType": "General", "message": f"Sent a hard bounce message. {DIAGNOSIS}"}
    return {"type": f"email.{names.get(kind, kind)}", "created_at": "2026-11-21T09:30:00.000Z", "data": data}


def _brevo(kind: str, notification: str) -> dict[str, Any]:
    names = {"bounced": "hard_bounce", "soft": "soft_bounce", "complained": "spam"}
    return {
        "event": names.get(kind, kind),
        "email": "Bob@example.com",
        "id": 26224,
        "ts_epoch": int(NOW.timestamp() * 1000),
        "message-id": "<201798300811.5787683@relay.domain.com>",
        "X-Mailin-custom": json.dumps({"notification": notification}),
        "reason": DIAGNOSIS,
    }


def _sparkpost(kind: str, notification: str) -> Any:
    names = {"delivered": "delivery", "bounced": "bounce", "soft": "bounce", "complained": "spam_complaint"}
    told = {
        "type": names.get(kind, "open"),
        "event_id": str(uuid4().int)[:18],
        "timestamp": str(int(NOW.timestamp())),
        "raw_rcpt_to": "Bob@example.com",
        "rcpt_meta": {"notification": notification},
        "transmission_id": "65832150921904138",
    }
    if kind in ("bounced", "soft"):
        told |= {"bounce_class": "10" if kind == "bounced" else "22", "raw_reason": DIAGNOSIS}
    return [{"msys": {"track_event" if kind == "opened" else "message_event": told}}]


def _mailjet(kind: str, notification: str) -> Any:
    names = {"delivered": "sent", "bounced": "bounce", "soft": "bounce", "complained": "spam", "opened": "open"}
    told = {
        "event": names[kind],
        "time": int(NOW.timestamp()),
        "MessageID": 19421777835146490,
        "email": "Bob@example.com",
        "CustomID": "",
        "Payload": json.dumps({"notification": notification}),
    }
    if kind in ("bounced", "soft"):
        told |= {"hard_bounce": kind == "bounced", "error": "user unknown", "smtp_reply": DIAGNOSIS}
    return [told]


def _standard(kind: str, notification: str) -> dict[str, Any]:
    told = {"id": notification, "permanent": kind == "bounced", "code": "5.1.1", "detail": DIAGNOSIS}
    name = "bounced" if kind == "soft" else kind
    return {"type": f"notification.{name}", "timestamp": "2026-11-21T09:30:00Z", "data": told}


BODIES: dict[str, Any] = {
    "mailgun": _mailgun,
    "postmark": _postmark,
    "resend": _resend,
    "brevo": _brevo,
    "sparkpost": _sparkpost,
    "mailjet": _mailjet,
    "standard_webhooks": _standard,
}
