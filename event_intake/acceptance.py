"""What the two hot calls do with a body once it is read: accept it, and say so. Returning means that it is stored."""

from typing import Any

from event_intake.receipts import event_receipt, notification_receipt
from notification_processor import direct, events
from notification_processor.direct import DirectSend
from notification_processor.events import NewEvent
from tenants.models import ApiKey

Answer = tuple[dict[str, Any], dict[str, str]]  # the receipt, and headers


def accept_event(key: ApiKey, event: NewEvent) -> Answer:
    """Raises Problem."""
    (accepted,) = events.accept(key.tenant, key.mode, [event])
    if accepted.problem:
        raise accepted.problem
    receipt = event_receipt(accepted.event)
    replayed = {"Idempotent-Replayed": "true"} if accepted.is_duplicate else {}
    return receipt, {"Location": receipt["links"]["self"]} | replayed


def accept_send(key: ApiKey, send: DirectSend) -> Answer:
    """Raises Problem."""
    receipt = notification_receipt(direct.send(key.tenant, key.mode, send), key)
    return receipt, {"Location": receipt["links"]["self"]}
