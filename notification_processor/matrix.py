"""Workflows against channels: where each goes, with which words, and through what. The generator's own rules say it."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from delivery_gateway.contract import Misconfigured
from delivery_gateway.registry import CHANNELS, get_provider
from notification_processor import generation, templates, workflows
from notification_processor.models import MessageTemplate, Workflow
from tenants import integrations
from tenants.models import Integration, Tenant
from traffic_control.errors import Problem, invalid

SHOWN = 200  # workflows
OWN, PLATFORM, INSIDE, PAUSED, NONE = "own", "platform", "inside", "paused", "none"
STUCK = (PAUSED, NONE)


@dataclass(frozen=True, slots=True)
class Way:
    """What a channel goes out through: the tenant's integration, the platform's settings, or nothing at all."""

    channel: str
    kind: str
    integration: Integration | None = None

    @property
    def title(self) -> str:
        return self.channel.replace("_", "-")

    @property
    def is_stuck(self) -> bool:
        return self.kind in STUCK


@dataclass(frozen=True, slots=True)
class Cell:
    """`is_on`: None where each customer's choices say it. Without templates, the built-in layout serves."""

    way: Way
    is_on: bool | None
    templates: list[MessageTemplate]

    @property
    def is_in_use(self) -> bool:
        return self.is_on is not False

    @property
    def tone(self) -> str:
        """How well it is, as a word for the eye."""
        if not self.is_in_use:
            return "off"
        return "stuck" if self.way.is_stuck else "well" if self.templates else "plain"


@dataclass(frozen=True, slots=True)
class Line:
    workflow: Workflow
    template_name: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Matrix:
    """`otherwise`: for an event that no workflow describes, whether each channel is on by default."""

    ways: list[Way]
    lines: list[Line]
    otherwise: list[bool]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What the page changes about a workflow."""

    is_active: bool
    channels: frozenset[str]


def of_tenant(tenant: Tenant) -> Matrix:
    """Four queries, whatever the number of workflows."""
    found = list(workflows.of_tenant(tenant.id).order_by("event_type")[: SHOWN + 1])
    shown, ways = found[:SHOWN], _ways(tenant.id)
    names = {(tenant.id, name) for one in shown for name in generation.names_of(one.event_type, one)}
    versions = templates.pinned(names)
    pinned = {one.id: generation.pinned_for(tenant.id, one.event_type, one, versions) for one in shown}
    known = _templates(tenant.id, pinned.values())
    lines = [Line(one, one.template or one.event_type, _cells(one, ways, pinned[one.id], known)) for one in shown]
    otherwise = [tenant.channel_defaults.get(channel, True) for channel in CHANNELS]
    return Matrix(ways, lines, otherwise, has_more=len(found) > SHOWN)


def _cells(
    workflow: Workflow, ways: list[Way], pinned: Mapping[str, Mapping[str, str]], known: Mapping[str, MessageTemplate]
) -> list[Cell]:
    return [
        Cell(
            way,
            (way.channel in workflow.channels) if workflow.channels else None,
            [known[version] for _, version in sorted(pinned.get(way.channel, {}).items()) if version in known],
        )
        for way in ways
    ]


def _templates(tenant_id: uuid.UUID, pinned: Collection[Mapping[str, Mapping[str, str]]]) -> dict[str, MessageTemplate]:
    """By the version that is in use."""
    versions = {
        uuid.UUID(version) for by_channel in pinned for locales in by_channel.values() for version in locales.values()
    }
    rows = templates.of_tenant(tenant_id).filter(current_id__in=versions)
    return {str(row.current_id): row for row in rows}


def _ways(tenant_id: uuid.UUID) -> list[Way]:
    own = integrations.in_use(tenant_id)
    return [_way(channel, own.get(channel)) for channel in CHANNELS]


def _way(channel: str, own: Integration | None) -> Way:
    if own is not None:
        return Way(channel, PAUSED if own.paused_at else OWN, own)
    if not CHANNELS[channel].has_provider:
        return Way(channel, INSIDE)
    try:
        return Way(channel, PLATFORM if get_provider(channel) else NONE)
    except Misconfigured:
        return Way(channel, NONE)


def standing_of(workflow: Workflow) -> Standing:
    return Standing(workflow.is_active, frozenset(workflow.channels))


@transaction.atomic
def change(tenant_id: uuid.UUID, workflow_id: uuid.UUID, *, was: Standing, wanted: Standing) -> Workflow:
    """Raises Problem 404, 409 when it is not as it was any more, 400 when no channel would be left."""
    row = workflows.of_tenant(tenant_id).select_for_update().filter(id=workflow_id).first()
    if row is None:
        raise Problem("not_found", "There is no such workflow any more.", status=404)
    if standing_of(row) != was:
        raise Problem("conflict", f"{row} was changed by somebody else meanwhile: look again.", status=409)
    if was.channels and not wanted.channels:
        detail = f"{row} would have no channel left. Switch it off, or let customers choose on its own page."
        raise invalid("/channels", detail)
    fields: dict[str, Any] = {"is_active": wanted.is_active}
    if wanted.channels != was.channels:
        fields["channels"] = [channel for channel in CHANNELS if channel in wanted.channels]
    return workflows.revise(row, fields)
