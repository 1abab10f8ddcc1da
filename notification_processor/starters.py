"""Gives a new tenant its starter templates and workflows, in the transaction that registers it."""

from typing import Any

from django.db import transaction

from notification_processor.models import MessageTemplate, TemplateVersion, Workflow
from notification_processor.starter_templates import TEMPLATES, WORKFLOWS, StarterTemplate
from tenants.models import Tenant


@transaction.atomic(savepoint=False)
def give_starters(*, tenant: Tenant, **_: Any) -> None:
    """Receives `tenants.signals.tenant_registered`. Three statements, whatever the number of starters."""
    versions = [_version(tenant, starter, channel) for starter in TEMPLATES for channel in starter.channels]
    MessageTemplate.objects.bulk_create([version.template for version in versions])
    TemplateVersion.objects.bulk_create(versions)
    Workflow.objects.bulk_create(
        Workflow(
            tenant=tenant, event_type=w.event_type, template=w.template, category=w.category, is_starter=True
        )
        for w in WORKFLOWS
    )  # fmt: skip


def _version(tenant: Tenant, starter: StarterTemplate, channel: str) -> TemplateVersion:
    """Each points at the other: the database checks that at the end of the transaction."""
    template = MessageTemplate(tenant=tenant, name=starter.name, channel=channel)
    html = starter.html if channel == "email" else ""
    version = TemplateVersion(
        template=template, number=1, subject=starter.subject, body=starter.body, html=html, is_starter=True
    )
    template.current_id = version.id
    return version
