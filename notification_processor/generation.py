"""The generator: turns an event into a plan. Which workflow, which channels, which template versions."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction

from notification_processor import templates
from notification_processor.models import Event, Workflow
from traffic_control.crash_points import Point, crash_point

log = logging.getLogger(__name__)

BATCH = 1_000
Versions = Mapping[tuple[uuid.UUID, str], dict[str, dict[str, str]]]  # templates.pinned


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the generator reads of an event; the payload is not its business."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    event_type: str
    channels: list[str] | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    state: str
    plan: dict[str, Any] | None = None
    completed_at: datetime | None = None


def generate(*, now: datetime) -> int:
    """Plans a batch of accepted events that are due; how many. A crash rolls back, and the batch is free again."""
    with transaction.atomic():
        accepted = Event.objects.select_for_update(skip_locked=True).filter(state=Event.State.ACCEPTED, due_at__lte=now)
        rows = accepted.order_by("due_at").values_list(*(field.name for field in fields(Waiting)))
        events = [Waiting(*row) for row in rows[:BATCH]]
        if events:
            _write(_planned(events, now))
            crash_point(Point.EVENTS_PLANNED)
            log.info("planned events", extra={"stage": "process", "count": len(events)})
    return len(events)


def plan(event: Event, *, now: datetime) -> None:
    """Into an event that is not stored, what `generate` would write about it."""
    ((_, outcome),) = _planned([_waiting(event)], now)
    _note(event, outcome)


def plan_as(event: Event, workflow: Workflow | None, versions: Versions, *, now: datetime) -> None:
    """As `plan`, by a workflow and templates that the caller has looked up already."""
    _note(event, _outcome(_waiting(event), workflow, versions, now))


def _waiting(event: Event) -> Waiting:
    return Waiting(*(getattr(event, field.name) for field in fields(Waiting)))


def _note(event: Event, outcome: Outcome) -> None:
    event.state, event.plan, event.completed_at = outcome.state, outcome.plan, outcome.completed_at


def _write(planned: list[tuple[uuid.UUID, Outcome]]) -> None:
    """Events of one type have one plan, so a batch takes a statement or two."""
    together: dict[bytes, tuple[Outcome, list[uuid.UUID]]] = {}
    for event_id, outcome in planned:
        together.setdefault(orjson.dumps(outcome), (outcome, []))[1].append(event_id)
    for outcome, ids in together.values():
        rows = Event.objects.filter(id__in=ids)
        rows.update(state=outcome.state, plan=outcome.plan, completed_at=outcome.completed_at)


def _planned(events: list[Waiting], now: datetime) -> list[tuple[uuid.UUID, Outcome]]:
    workflows = _workflows(events)
    names = {
        (e.tenant_id, name)
        for e in events
        for name in names_of(e.event_type, workflows.get((e.tenant_id, e.event_type)))
    }
    versions = templates.pinned(names)
    return [(e.id, _outcome(e, workflows.get((e.tenant_id, e.event_type)), versions, now)) for e in events]


def _outcome(event: Waiting, workflow: Workflow | None, versions: Versions, now: datetime) -> Outcome:
    if event.expires_at is not None and event.expires_at <= now:
        return Outcome(Event.State.EXPIRED, completed_at=now)
    if workflow is not None and not workflow.is_active:
        return Outcome(Event.State.COMPLETED, {"disabled_by": "workflow"}, now)
    return Outcome(Event.State.GENERATED, _plan(event, workflow, versions))


def _workflows(events: list[Waiting]) -> dict[tuple[uuid.UUID, str], Workflow]:
    rows = Workflow.objects.filter(
        tenant_id__in={e.tenant_id for e in events}, event_type__in={e.event_type for e in events}
    )
    return {(row.tenant_id, row.event_type): row for row in rows}


def names_of(event_type: str, workflow: Workflow | None) -> list[str]:
    """Template names to look for, best first. What a tenant named like the type is better than a starter's."""
    like_the_type = [event_type, event_type.lower()]
    if workflow is None or not workflow.template:
        return like_the_type
    return [*like_the_type, workflow.template] if workflow.is_starter else [workflow.template]


def pinned_for(tenant_id: uuid.UUID, event_type: str, workflow: Workflow | None, versions: Versions) -> dict[str, Any]:
    """Channel → locale → version, of the best name that has one for the channel."""
    found = [versions[(tenant_id, n)] for n in names_of(event_type, workflow) if (tenant_id, n) in versions]
    pinned: dict[str, Any] = {}
    for by_channel in reversed(found):
        pinned |= by_channel
    return pinned


def _plan(event: Waiting, workflow: Workflow | None, versions: Versions) -> dict[str, Any]:
    planned = list(workflow.channels) if workflow is not None and workflow.channels else None
    if event.channels is not None:
        planned = [c for c in planned if c in event.channels] if planned is not None else list(event.channels)
    return {
        "channels": planned,
        "template": workflow.template if workflow is not None else "",
        "category": workflow.category if workflow is not None else "",
        "critical": workflow.is_critical if workflow is not None else False,
        "versions": pinned_for(event.tenant_id, event.event_type, workflow, versions),
        "quiet": workflow.quiet_hours if workflow is not None else Workflow.QuietHours.HOLD,
        "dedup": _dedup(workflow),
    }


def _dedup(workflow: Workflow | None) -> dict[str, Any] | None:
    if workflow is None or not workflow.dedup_key or not workflow.dedup_window:
        return None
    return {"workflow": str(workflow.id), "paths": workflow.dedup_key, "window": workflow.dedup_window}
