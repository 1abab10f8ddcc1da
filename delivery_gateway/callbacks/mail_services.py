"""What mail services call back with: proven and put into one vocabulary by django-anymail.

Its views are used as readers only, made for one call with the integration's own secret. Whether a bounce is for good
they do not say, so the service's own word is asked for.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from django.http import HttpRequest

from delivery_gateway.callbacks import standard
from delivery_gateway.callbacks.contract import Kind, News, forged, stale, unreadable
from traffic_control.errors import Problem

log = logging.getLogger(__name__)

OUR_MESSAGE_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^@\s]*>?")
METADATA = "notification"  # where our id is, in services that have message ids of their own
MAILGUN_WINDOW = 9 * 3600.0  # seconds: it signs once, and goes on calling for eight hours
KINDS = {
    "delivered": Kind.DELIVERED,
    "bounced": Kind.BOUNCED,
    "rejected": Kind.BOUNCED,
    "failed": Kind.BOUNCED,
    "complained": Kind.COMPLAINED,
    "unsubscribed": Kind.UNSUBSCRIBED,
    "deferred": Kind.DEFERRED,
}
Event = Mapping[str, Any]
Proof = Callable[[Any, HttpRequest, str, float], None]


def _by_anymail(view: Any, request: HttpRequest, secret: str, now: float) -> None:
    from anymail.exceptions import AnymailWebhookValidationFailure

    try:
        view.run_validators(request)
    except AnymailWebhookValidationFailure:
        raise forged() from None


def _of_mailgun(view: Any, request: HttpRequest, secret: str, now: float) -> None:
    _by_anymail(view, request, secret, now)
    sent_at = json.loads(request.body)["signature"]["timestamp"]
    if not standard.is_recent(sent_at, now=now, window=MAILGUN_WINDOW):
        raise stale()


def _of_svix(view: Any, request: HttpRequest, secret: str, now: float) -> None:
    standard.prove(request.headers, request.body, secret, now=now, prefix="svix")


def _says(event: Event, name: str, *values: Any) -> bool:
    return event.get(name) in values


def _mailgun_gives_up(event: Event) -> bool:
    about = event["event-data"]
    return _says(about, "severity", "permanent") and _says(about, "reason", "bounce", "suppress-bounce")


@dataclass(frozen=True, slots=True)
class Service:
    """`view` of anymail.webhooks, which takes the secret as `option`. `gives_up`: whether its event says for good."""

    view: str
    gives_up: Callable[[Event], bool]
    option: str = "webhook_secret"  # "user:password", sent as HTTP Basic
    proof: Proof = _by_anymail


SERVICES = {
    "mailgun": Service(
        "mailgun.MailgunTrackingWebhookView", _mailgun_gives_up, "webhook_signing_key", proof=_of_mailgun
    ),
    "postmark": Service(
        "postmark.PostmarkTrackingWebhookView", lambda event: _says(event, "Type", "HardBounce", "BadEmailAddress")
    ),
    "resend": Service(
        "resend.ResendTrackingWebhookView",
        lambda event: _says(event["data"].get("bounce") or {}, "type", "Permanent"),
        proof=_of_svix,
    ),
    "brevo": Service(
        "brevo.BrevoTrackingWebhookView", lambda event: _says(event, "event", "hard_bounce", "invalid_email")
    ),
    "sparkpost": Service(
        "sparkpost.SparkPostTrackingWebhookView",
        lambda event: any(_says(told, "bounce_class", "10", "30") for told in event["msys"].values()),
    ),
    "mailjet": Service("mailjet.MailjetTrackingWebhookView", lambda event: _says(event, "hard_bounce", True, 1)),
}


def read(name: str, request: HttpRequest, secret: str, *, now: float) -> list[News]:
    """Raises Problem. The body has been found to be JSON of bounded depth."""
    service = SERVICES[name]
    module, _, view_name = service.view.partition(".")
    view = getattr(import_module(f"anymail.webhooks.{module}"), view_name)(**{service.option: secret})
    try:
        service.proof(view, request, secret, now)
        return [_news(event, service) for event in view.parse_events(request)]
    except Problem:
        raise
    except Exception as error:  # whatever a body may break in a reader that expects its service's
        log.warning("callback of %s not understood: %s", name, type(error).__name__)
        raise unreadable() from None


def _news(event: Any, service: Service) -> News:
    kind = KINDS.get(event.event_type, Kind.OTHER)
    when = event.timestamp if isinstance(event.timestamp, datetime) and event.timestamp.tzinfo else None
    return News(
        kind=kind,
        notification_id=_notification_in(event),
        key=str(event.event_id or f"{event.event_type} {when}"),
        is_permanent=kind is Kind.BOUNCED and service.gives_up(event.esp_event),
        code=str(event.reject_reason or ""),
        detail=str(event.mta_response or event.description or ""),
        occurred_at=when,
    )


def _notification_in(event: Any) -> uuid.UUID | None:
    """Our id: in the metadata that the mail carried, else in its Message-ID."""
    carried = event.metadata.get(METADATA) if isinstance(event.metadata, dict) else None
    found = OUR_MESSAGE_ID.fullmatch(str(event.message_id or ""))
    try:
        return uuid.UUID(str(carried or (found[1] if found else "")))
    except ValueError:
        return None
