"""`?dry_run=true`: what a request to the two intake calls would do, told instead of done."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from rest_framework.request import Request

from delivery_gateway import explaining
from delivery_gateway.ledger import NewNotification
from delivery_gateway.selectors import shown_address
from event_intake.receipts import note_on
from notification_processor import dry_run
from notification_processor.direct import DirectSend
from notification_processor.dry_run import Forecast
from notification_processor.events import NewEvent
from notification_processor.models import Event
from tenants.authentication import require_scope
from tenants.models import ApiKey
from traffic_control.errors import Problem

NAME = "dry_run"
ANSWERS = {"true": True, "1": True, "false": False, "0": False}


class DryRunnable:
    """Mixin for an Idempotent view of an intake call."""

    def heeds_key(self, request: Request) -> bool:
        return not is_dry(request)


def is_dry(request: Request) -> bool:
    """Raises Problem for a value, or a spelling, that would send what was to be looked at."""
    for name in request.query_params:
        if name != NAME and get_close_matches(name.lower().replace("-", "_"), [NAME], n=1, cutoff=0.75):
            detail = f'There is no parameter "{name[:40]}". Did you mean "{NAME}"? Nothing was sent.'
            raise Problem("unknown_parameter", detail)
    value = request.query_params.get(NAME, "false")
    if value.lower() not in ANSWERS:
        raise Problem("invalid_filter", f'{NAME} "{value[:40]}" is not true or false. Nothing was sent.')
    return ANSWERS[value.lower()]


def refuse(request: Request) -> None:
    """Of a call that has no dry run: whoever asks for one must not find that it was done. Raises Problem."""
    if is_dry(request):
        detail = "This call has no dry run; POST /v1/notify/ and POST /api/events/ have. Nothing was sent."
        raise Problem("unknown_parameter", detail)


def of_event(key: ApiKey, event: NewEvent) -> dict[str, Any]:
    """Raises the Problem that the real call would answer; a key needs `read` too, as it sees texts."""
    require_scope(key, "read")
    forecast = dry_run.of_event(key.tenant, key.mode, event)
    people: dict[str, list[NewNotification]] = {}
    for row in forecast.rows:
        people.setdefault(row.user_id, []).append(row)
    return _head(forecast) | {
        "notifications": [_notification(row, key) for row in forecast.rows],
        "left_out": [
            {"user_id": user_id, "channel": hit.channel, "rule": hit.rule, "detail": hit.detail}
            for user_id, rows in people.items()
            for hit in explaining.left_out(rows)
        ],
    }


def of_sends(key: ApiKey, sends: Sequence[DirectSend]) -> dict[str, Any]:
    """As `of_event`."""
    require_scope(key, "read")
    rows = [dry_run.of_send(key.tenant, key.mode, send) for send in sends]
    return {"dry_run": True, "status": "accepted", "notifications": [_notification(row, key) for row in rows]}


def _head(forecast: Forecast) -> dict[str, Any]:
    event = forecast.event
    plan = event.plan or {}
    repeated = {"id": str(event.id)} if forecast.is_duplicate else {}
    note = "This idempotency_key was used: the first event would be answered again." if forecast.is_duplicate else ""
    return repeated | {
        "dry_run": True,
        "status": "duplicate" if forecast.is_duplicate else "accepted",
        "event_type": event.event_type,
        "note": note or _note(event, forecast.rows),
        "channels": plan.get("channels"),
        "category": plan.get("category") or None,
        "critical": plan.get("critical", False),
        "has_more": forecast.has_more,
    }


def _note(event: Event, rows: list[NewNotification]) -> str | None:
    """As the event itself would have one, once it is completed."""
    if event.state == Event.State.EXPIRED:
        return "It would expire before anybody is told."
    done = Event(event_type=event.event_type, state=Event.State.COMPLETED, plan=event.plan)
    return note_on(done, {"any": len(rows)} if rows else {}) or None


def _notification(row: NewNotification, key: ApiKey) -> dict[str, Any]:
    return {
        "user_id": row.user_id or None,
        "channel": row.channel,
        "to": shown_address(row, key),
        "status": row.status,
        "reason": row.reason or None,
        "due_at": row.due_at,
        "template": row.template_name or None,
        "template_version": row.template_version,
        "subject": row.subject,
        "body": row.body,
        "html": row.html or None,
        "payload": row.payload,
        "decisions": [{"rule": hit.rule, "outcome": hit.outcome, "detail": hit.detail} for hit in explaining.hits(row)],
    }
