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


def of_tenant(tenant_id: uuid.UUID) -> QuerySet[Workflow]:
    return Workflow.objects.filter(tenant_id=tenant_id)


def create(tenant: Tenant, fields: dict[str, Any]) -> Workflow:
    """Raises Problem `workflow_exists` (409) or a validation error for an unknown template."""
    check_template(tenant.id, fields.get("template", ""))
    try:
        with transaction.atomic():
            return Workflow.objects.create(tenant=tenant, **fields)
    except IntegrityError as exc:
        detail = f'A workflow for "{fields["event_type"]}" exists already; PUT or PATCH it instead.'
        raise Problem("workflow_exists", detail, status=409) from exc


def revise(workflow: Workflow, fields: dict[str, Any]) -> Workflow:
    if fields.get("event_type", workflow.event_type) != workflow.event_type:
        raise invalid(
            "/event_type", f"It is {workflow.event_type!r} and cannot change; create another workflow instead."
        )
    check_template(workflow.tenant_id, fields.get("template", ""))
    for name, value in fields.items():
        setattr(workflow, name, value)
    workflow.save()
    return workflow


def check_template(tenant_id: uuid.UUID, name: str) -> None:
    """Raises Problem with a did-you-mean when the tenant has no template of this name; an empty name is fine."""
    known = set(templates.of_tenant(tenant_id).values_list("name", flat=True)) if name else set()
    if name and name not in known:
        meant = difflib.get_close_matches(name, known, n=1)
        hint = f' Did you mean "{meant[0]}"?' if meant else " Create it first: POST /v1/templates/."
        raise invalid("/template", f'Template "{name}" does not exist.{hint}', code="unknown_template")
