"""What a tenant is told of what it sent."""

from typing import Any

from delivery_gateway.ledger import NewNotification
from delivery_gateway.selectors import shown_address
from notification_processor.models import Event
from tenants.masking import told
from tenants.models import ApiKey
from traffic_control.errors import Problem, problem_body

SHOWN_STATES: dict[str, str] = {Event.State.ACCEPTED: "accepted", Event.State.GENERATED: "processing"}


def event_receipt(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "status": "accepted",
        "event_type": event.event_type,
        "received_at": event.received_at,
        "links": {"self": f"/api/events/{event.id}/", "notifications": f"/v1/notifications/?event_id={event.id}"},
    }


def notification_receipt(row: NewNotification, key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "status": "pending",
        "channel": row.channel,
        "to": shown_address(row, key),
        "created_at": row.created_at,
        "links": {"self": f"/v1/notifications/{row.id}/"},
    }


def event_detail(event: Event, counts: dict[str, int] | None, key: ApiKey) -> dict[str, Any]:
    """`counts` is None in lists."""
    body = event_receipt(event) | {
        "status": SHOWN_STATES.get(event.state, event.state),
        "mode": event.mode,
        "recipients": event.recipients,
        "topic": event.topic or None,
        "payload": event.payload,
        "channels": event.channels,
        "occurred_at": event.occurred_at,
        "send_at": event.due_at if event.due_at > event.received_at else None,
        "expires_at": event.expires_at,
        "completed_at": event.completed_at,
        "error": told(event.error, key) or None,
    }
    if counts is not None:
        body["counts"] = counts
        if note := note_on(event, counts):
            body["note"] = note
    return body


def note_on(event: Event, counts: dict[str, int]) -> str:
    """Why a finished event notified nobody; silence would be a riddle."""
    if event.state != Event.State.COMPLETED or counts:
        return ""
    if event.plan and event.plan.get("disabled_by"):
        return f'The workflow for "{event.event_type}" is switched off.'
    return "No channel was left for anybody: no customers, no addresses, or channels that the workflow does not have."


def item_problem(problem: Problem, *, path: str) -> dict[str, Any]:
    return problem_body(problem.status_code, problem.code, str(problem.detail), path=path, errors=problem.errors)
