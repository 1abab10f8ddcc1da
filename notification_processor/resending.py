"""A message sent once more by somebody of the staff: to whom it was for, or to themselves. It keeps its words.

The copy is a notification of its own, and goes the way of all: consent, suppressions, quiet hours and limits are asked
again, and what a test key sent stays in the sandbox.
"""

import json
import uuid

from django.db import transaction
from django.utils import timezone

from delivery_gateway import copies, ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationCopy, NotificationLog
from delivery_gateway.states import TERMINAL, Status
from notification_processor.deciding import address_of
from traffic_control import audit
from user_preferences.models import Customer

AGAIN, TO_STAFF = NotificationCopy.Kind.AGAIN, NotificationCopy.Kind.TO_STAFF
SAID = {AGAIN: "sent again", TO_STAFF: "sent to staff"}


class NotSendable(Exception):
    """There is nothing to send, or it is not the time; the sentence says which."""


def objection(row: NotificationLog, kind: NotificationCopy.Kind) -> str:
    """Why there can be no copy, in a sentence; empty when there can."""
    if not (row.subject or row.body or row.html or row.payload):
        return "There are no words to send: they were cleared, or never made."
    if kind == TO_STAFF:
        return ""
    if row.status not in TERMINAL:
        return "It is still under way."
    if row.status == Status.FAILED:
        return "It failed for good and has a dead letter: send that again."
    return ""


def address_now(row: NotificationLog) -> str:
    """The customer's of today: the old one may be why it did not arrive. What went to an address goes there again."""
    if row.customer_id is None:
        return row.to
    customer = Customer.objects.for_tenant(row.tenant_id).filter(id=row.customer_id).first()
    return address_of(customer, row.channel) if customer else row.to


def send_again(row: NotificationLog, *, by: str) -> uuid.UUID:
    """The copy's id. Raises NotSendable."""
    return _opened(row, AGAIN, by=by, to=address_now(row))


def send_to_staff(row: NotificationLog, *, email: str, by: str) -> uuid.UUID:
    """By mail, whatever the channel was. The copy's id. Raises NotSendable."""
    return _opened(row, TO_STAFF, by=by, to=email)


def _opened(row: NotificationLog, kind: NotificationCopy.Kind, *, by: str, to: str) -> uuid.UUID:
    if refusal := objection(row, kind):
        raise NotSendable(refusal)
    new = _again(row, to) if kind == AGAIN else _to_staff(row, to)
    with transaction.atomic():
        ledger.open_rows([new])
        copies.keep(new.id, of=row, kind=kind, made_by=by)
        told = f"Notification {row.id} {SAID[kind]} as {new.id}"
        audit.record(f"notification.{kind.value}", tenant_id=row.tenant_id, object_id=row.id, summary=told)
    return new.id


def _again(row: NotificationLog, to: str) -> NewNotification:
    return NewNotification(
        tenant_id=row.tenant_id,
        mode=row.mode,
        channel=row.channel,
        created_at=timezone.now(),
        status=Status.PENDING if row.user_id else Status.QUEUED,
        event_id=row.event_id,
        event_type=row.event_type,
        user_id=row.user_id,
        customer_id=row.customer_id,
        to=to,
        subject=row.subject,
        body=row.body,
        html=row.html,
        payload=row.payload,
        template_name=row.template_name,
        template_version=row.template_version,
        category=row.category,
        is_critical=row.is_critical,
    )


def _to_staff(row: NotificationLog, to: str) -> NewNotification:
    """Nobody's preferences are concerned. Critical: its reader cannot unsubscribe the person it was for."""
    payload = json.dumps(row.payload, indent=2, ensure_ascii=False) if row.payload else ""
    return NewNotification(
        tenant_id=row.tenant_id,
        mode=row.mode,
        channel="email",
        created_at=timezone.now(),
        status=Status.QUEUED,
        to=to,
        subject=row.subject or f"A message for {row.channel.replace('_', ' ')}",
        body=row.body or payload,
        html=row.html,
        template_name=row.template_name,
        template_version=row.template_version,
        is_critical=True,
    )
