"""The generator: turns an event into a plan. Which workflow, which channels, which template versions."""

import logging
import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from notification_processor import templates
from notification_processor.models import Event, Workflow
from traffic_control.bulk import update_from_values

log = logging.getLogger(__name__)

BATCH = 200


def generate(*, now: datetime) -> int:
    """Plans a batch of accepted events that are due; how many. A crash rolls back, and the batch is free again."""
    with transaction.atomic():
        accepted = Event.objects.select_for_update(skip_locked=True).filter(state=Event.State.ACCEPTED, due_at__lte=now)
        events = list(accepted.order_by("due_at")[:BATCH])
        if events:
            update_from_values(Event, ("state", "plan", "completed_at"), _planned(events, now))
            log.info("planned events", extra={"stage": "process", "count": len(events)})
    return len(events)


def _planned(events: list[Event], now: datetime) -> list[tuple[uuid.UUID, str, Any, datetime | None]]:
    workflows = _workflows(events)
    names = {(e.tenant_id, name) for e in events for name in _names(e, workflows.get((e.tenant_id, e.event_type)))}
    versions = templates.pinned(names)
    rows: list[tuple[uuid.UUID, str, Any, datetime | None]] = []
    for event in events:
        workflow = workflows.get((event.tenant_id, event.event_type))
        if event.expires_at is not None and event.expires_at <= now:
            rows.append((event.id, Event.State.EXPIRED, None, now))
        elif workflow is not None and not workflow.is_active:
            rows.append((event.id, Event.State.COMPLETED, {"disabled_by": "workflow"}, now))
        else:
            rows.append((event.id, Event.State.GENERATED, _plan(event, workflow, versions), None))
    return rows


def _workflows(events: list[Event]) -> dict[tuple[uuid.UUID, str], Workflow]:
    rows = Workflow.objects.filter(
        tenant_id__in={e.tenant_id for e in events}, event_type__in={e.event_type for e in events}
    )
    return {(row.tenant_id, row.event_type): row for row in rows}


def _names(event: Event, workflow: Workflow | None) -> list[str]:
    """Template names to look for, best first. What a tenant named like the type is better than a starter's."""
    like_the_type = [event.event_type, event.event_type.lower()]
    if workflow is None or not workflow.template:
        return like_the_type
    return [*like_the_type, workflow.template] if workflow.is_starter else [workflow.template]


def _plan(event: Event, workflow: Workflow | None, versions: dict[tuple[uuid.UUID, str], Any]) -> dict[str, Any]:
    found = [versions[(event.tenant_id, n)] for n in _names(event, workflow) if (event.tenant_id, n) in versions]
    pinned: dict[str, Any] = {}
    for by_channel in reversed(found):
        pinned |= by_channel
    planned = list(workflow.channels) if workflow is not None and workflow.channels else None
    if event.channels is not None:
        planned = [c for c in planned if c in event.channels] if planned is not None else list(event.channels)
    return {
        "channels": planned,
        "template": workflow.template if workflow is not None else "",
        "category": workflow.category if workflow is not None else "",
        "critical": workflow.is_critical if workflow is not None else False,
        "versions": pinned,
        "dedup": _dedup(workflow),
    }


def _dedup(workflow: Workflow | None) -> dict[str, Any] | None:
    if workflow is None or not workflow.dedup_key or not workflow.dedup_window:
        return None
    return {"workflow": str(workflow.id), "paths": workflow.dedup_key, "window": workflow.dedup_window}
