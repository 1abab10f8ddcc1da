"""A template's words to whoever edits them: a real message, marked as a test, to their own address and no other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from notification_processor import direct
from notification_processor.deciding import CARRY_PAYLOAD
from notification_processor.direct import DirectSend
from notification_processor.models import MessageTemplate
from notification_processor.rendering import Rendered
from traffic_control import audit
from traffic_control.errors import Problem, invalid
from user_preferences import selectors

EVENT_TYPE = "template.test"
MARK = "[Test]"
LASTS = timedelta(minutes=15)  # nobody waits longer for a test; what is retried until then expires


@dataclass(frozen=True, slots=True)
class Editor:
    """Who is to get it. On all channels but mail they are the customer whose user_id is one of these."""

    username: str
    email: str


def send_test(
    template: MessageTemplate, words: Rendered, editor: Editor, *, payload: Mapping[str, Any], version: int | None
) -> NewNotification:
    """Returning means that it is stored, and noted in the audit log. `version` is None for words not published yet.

    Raises Problem when there is nowhere to send it.
    """
    marked = _marked(template.channel, words)
    wanted = replace(_addressed(template, editor), subject=marked.subject, body=marked.body, html=marked.html)
    ready = direct.make_ready(template.tenant, "live", wanted)
    carried = dict(payload) if template.channel in CARRY_PAYLOAD else None
    new = replace(
        ready.new,
        event_type=EVENT_TYPE,
        template_name=template.name,
        template_version=version,
        payload=carried,
        expires_at=timezone.now() + LASTS,
    )
    with transaction.atomic():
        ledger.open_rows([new])
        told = f"Template {template}: test message {new.id}"
        audit.record("template.tested", tenant_id=template.tenant_id, object_id=template.pk, summary=told)
    return new


def _addressed(template: MessageTemplate, editor: Editor) -> DirectSend:
    channel = template.channel
    if channel == "email":
        if not editor.email:
            raise _nowhere("Your account has no mail address: whoever keeps the accounts can give it one.")
        return DirectSend(channel=channel, to=editor.email)
    names = [name for name in (editor.username, editor.email) if name]
    for customer in selectors.by_user_ids(template.tenant_id, names).values():
        if customer.address_on(channel):
            return DirectSend(channel=channel, user_id=customer.user_id, is_critical=True)
    known = " or ".join(f'"{name}"' for name in names)
    raise _nowhere(
        f"Nobody knows where you are on {channel}. Give a customer whose user_id is {known} an address there."
    )


def _nowhere(detail: str) -> Problem:
    return invalid("/to", detail, code="invalid_address")


def _marked(channel: str, words: Rendered) -> Rendered:
    if words.subject or channel == "email":
        return replace(words, subject=f"{MARK} {words.subject}".strip())
    return Rendered("", f"{MARK} {words.body}", f"{MARK} {words.html}" if words.html else "")
