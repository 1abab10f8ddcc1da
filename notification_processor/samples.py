"""Values to look at a template with: those of the last real event it was for, else made up from what it reads."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from delivery_gateway.models import NotificationLog
from notification_processor.context import about
from notification_processor.models import Event, MessageTemplate, Workflow
from notification_processor.renderer.wire import EACH_ITEM
from tenants.masking import mask, scrubbed
from user_preferences import selectors

NEWEST = 1_000  # events and notifications of a tenant that are looked through
MADE_UP = "Made up from what the template reads."
OURS = frozenset({"customer", "tenant", "event"})
ANN = {
    "user_id": "u1", "name": "Ann Example", "email": "ann@example.com", "phone": "+48123456789", "locale": "en",
    "timezone": "Europe/Warsaw", "preferences_url": "https://example.com/p/ann",
}  # fmt: skip
WORDS: tuple[tuple[str, Any], ...] = (
    ("url", "https://example.com/start"), ("link", "https://example.com/start"), ("email", "ann@example.com"),
    ("phone", "+48123456789"), ("quantity", 2), ("count", 3), ("number", "A-1007"), ("currency", "EUR"),
    ("price", "12.50"), ("amount", "25.00"), ("total", "25.00"), ("name", "Ann Example"), ("date", "2026-03-14"),
    ("time", "09:30"), ("_at", "2026-03-14T09:30:00Z"), ("_in", "30 minutes"), ("id", "1007"),
)  # fmt: skip
Path = Sequence[str]


@dataclass(frozen=True, slots=True)
class Sample:
    """`data` is what a template sees at top level, `customer` included. `event_id`: whose payload it is."""

    data: dict[str, Any]
    told: str
    event_id: uuid.UUID | None = None


def last_real(template: MessageTemplate, *, sees_addresses: bool) -> Sample | None:
    """Of the tenant's newest events that this template is for, or of a message that kept its payload."""
    event = _last_event(template)
    if event is not None:
        customer = _about_first(event) | {"preferences_url": ANN["preferences_url"]}
        facts = {"id": str(event.id), "type": event.event_type, "occurred_at": event.occurred_at.isoformat()}
        data = {**event.payload, "customer": customer, "event": facts}
        test = " with a test key" if event.mode == "test" else ""
        told = f"The last {event.event_type}{test}, of {event.received_at:%Y-%m-%d %H:%M} UTC."
        return Sample(data if sees_addresses else masked(data), told, event.id)
    payload = _last_payload(template)
    if payload is not None:
        data = {**payload, "customer": dict(ANN)}
        return Sample(data if sees_addresses else masked(data), "The last message that was made of it.")
    return None


def made_up(paths: Iterable[Path]) -> dict[str, Any]:
    """Something to read at each of the paths."""
    data: dict[str, Any] = {"customer": {**ANN, "attributes": {}}}
    for path in sorted(set(map(tuple, paths)), key=len, reverse=True):
        if path[0] not in OURS or path[:2] == ("customer", "attributes"):
            _put(data, path)
    return data


def masked(value: Any, name: str = "") -> Any:
    """For whoever may not see addresses, wherever they stand."""
    if isinstance(value, Mapping):
        return {key: masked(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if isinstance(value, str) and name in ("email", "phone"):
        return mask(value)
    return scrubbed(value) if isinstance(value, str) else value


def event_types_of(template: MessageTemplate) -> set[str]:
    """Those whose events may be told with it: what a workflow says, or their name."""
    workflows = Workflow.objects.filter(tenant_id=template.tenant_id, template=template.name)
    return {template.name, template.name.upper(), *workflows.values_list("event_type", flat=True)}


def _last_event(template: MessageTemplate) -> Event | None:
    """Live ones first."""
    own = Event.objects.filter(tenant_id=template.tenant_id)
    newest = own.order_by("-id").values("id")[:NEWEST]
    named = own.filter(id__in=newest, event_type__in=event_types_of(template)).exclude(payload={})
    return named.order_by("mode", "-id").first()


def _about_first(event: Event) -> dict[str, Any]:
    found = selectors.by_user_ids(event.tenant_id, event.recipients[:1])
    return about(next(iter(found.values()))) if found else {**ANN, "attributes": {}}


def _last_payload(template: MessageTemplate) -> dict[str, Any] | None:
    own = NotificationLog.objects.filter(tenant_id=template.tenant_id)
    newest = own.order_by("-id").values("id")[:NEWEST]
    named = own.filter(id__in=newest, template_name=template.name, payload__isnull=False).exclude(payload={})
    return named.order_by("-id").values_list("payload", flat=True).first()


def _put(data: Any, path: tuple[str, ...]) -> None:
    """Longer paths come first: what has parts is not overwritten by a word."""
    at: Any = data
    for step, further in pairwise(path):
        inner: Any = [{}] if further == EACH_ITEM else {}
        if step == EACH_ITEM:
            at[0] = at[0] or inner
            at = at[0]
        else:
            at = at.setdefault(step, inner)
        if not isinstance(at, dict | list) or (isinstance(at, list) != (further == EACH_ITEM)):
            return
    if path[-1] == EACH_ITEM:
        at[0] = at[0] or word_for(path[-2] if len(path) > 1 else "")
    else:
        at.setdefault(path[-1], word_for(path[-1]))


def word_for(name: str) -> Any:
    """`order_number` → "A-1007", `city` → "city"."""
    low = name.lower()
    return next((value for part, value in WORDS if part in low), name.replace("_", " "))
