"""What the two hot calls do with a body once it is read: accept it, and say so. Returning means that it is stored."""

from collections.abc import Callable
from typing import Any

from event_intake.receipts import event_receipt, notification_receipt
from notification_processor import direct, events
from notification_processor.direct import DirectSend
from notification_processor.events import NewEvent
from tenants.models import ApiKey
from traffic_control.errors import Problem
from traffic_control.insertion import Entry

Answer = tuple[dict[str, Any], dict[str, str]]  # the receipt, and headers
Record = Callable[[Answer], Entry]  # what is to be stored of an answer, in the statement that accepts


def accept_event(key: ApiKey, event: NewEvent) -> Answer:
    """Raises Problem."""
    (accepted,) = events.accept(key.tenant, key.mode, [event])
    if accepted.problem:
        raise accepted.problem
    receipt, headers = located(event_receipt(accepted.event))
    return receipt, headers | ({"Idempotent-Replayed": "true"} if accepted.is_duplicate else {})


def accept_send(key: ApiKey, send: DirectSend) -> Answer:
    """Raises Problem."""
    return located(notification_receipt(direct.send(key.tenant, key.mode, send), key))


def accept_event_once(key: ApiKey, event: NewEvent, record: Record) -> Answer | None:
    """None, and nothing stored, when the record was there before, or when a problem may come second to it."""
    if event.idempotency_key:
        return None
    try:
        row = events.make_ready(key.tenant, key.mode, event)
    except Problem:
        return None
    answer = located(event_receipt(row))
    return answer if events.accept_with(record(answer), row) else None


def accept_send_once(key: ApiKey, send: DirectSend, record: Record) -> Answer | None:
    """As `accept_event_once`; None as well when the template has changed meanwhile."""
    try:
        ready = direct.make_ready(key.tenant, key.mode, send)
    except Problem:
        return None
    answer = located(notification_receipt(ready.new, key))
    return answer if ready.open(entry=record(answer)) else None


def located(receipt: dict[str, Any]) -> Answer:
    return receipt, {"Location": receipt["links"]["self"]}
