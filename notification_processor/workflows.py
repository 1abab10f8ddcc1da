"""Tenants' workflows: what each event type means."""

import difflib
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from notification_processor import templates
from notification_processor.models import Workflow
from tenants.models import Tenant
from traffic_control.errors import Problem, invalid
from user_preferences.pages.subjects import Subject

BLANK: dict[str, Any] = {
    "channels": [],
    "template": "",
    "category": "",
    "is_critical": False,
    "is_active": True,
    "quiet_hours": "hold",
    "dedup_key": [],
    "dedup_window": None,
}


def subjects(tenant_id: uuid.UUID) -> list[Subject]:
    """What the preference page shows."""
    rows = of_tenant(tenant_id).filter(is_active=True).values_list("category", "channels", "is_critical")
    return [Subject(category, frozenset(channels), is_critical) for category, channels, is_critical in rows]


def of_tenant(tenant_id: uuid.UUID) -> QuerySet[Workflow]:
    return Workflow.objects.filter(tenant_id=tenant_id)


def create(tenant: Tenant, fields: dict[str, Any]) -> Workflow:
    """Takes the place of a starter. Raises Problem `workflow_exists` (409) or a validation error."""
    check_template(tenant.id, fields.get("template", ""))
    check_dedup(fields.get("dedup_key"), fields.get("dedup_window"))
    try:
        with transaction.atomic():
            of_tenant(tenant.id).filter(event_type=fields["event_type"], is_starter=True).delete()
            return Workflow.objects.create(tenant=tenant, **fields)
    except IntegrityError as exc:
        detail = f'A workflow for "{fields["event_type"]}" exists already; PUT or PATCH it instead.'
        raise Problem("workflow_exists", detail, status=409) from exc


@transaction.atomic(savepoint=False)
def revise(workflow: Workflow, fields: dict[str, Any]) -> Workflow:
    if fields.get("event_type", workflow.event_type) != workflow.event_type:
        raise invalid(
            "/event_type", f"It is {workflow.event_type!r} and cannot change; create another workflow instead."
        )
    check_template(workflow.tenant_id, fields.get("template", ""))
    for name, value in (fields | {"is_starter": False}).items():
        setattr(workflow, name, value)
    check_dedup(workflow.dedup_key, workflow.dedup_window)
    workflow.save()
    return workflow


def check_dedup(paths: list[str] | None, window: int | None) -> None:
    """Raises a validation error when one of the two comes without the other."""
    if paths and not window:
        raise invalid("/dedup_window", "dedup_key needs dedup_window: for how many seconds a repeat is a duplicate.")
    if window and not paths:
        raise invalid("/dedup_key", 'dedup_window needs dedup_key: a path in the payload, such as "order.id".')


def check_template(tenant_id: uuid.UUID, name: str) -> None:
    """Raises Problem with a did-you-mean when the tenant has no template of this name; an empty name is fine."""
    known = set(templates.of_tenant(tenant_id).values_list("name", flat=True)) if name else set()
    if name and name not in known:
        meant = difflib.get_close_matches(name, known, n=1)
        hint = f' Did you mean "{meant[0]}"?' if meant else " Create it first: POST /v1/templates/."
        raise invalid("/template", f'Template "{name}" does not exist.{hint}', code="unknown_template")
