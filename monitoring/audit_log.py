"""Keeps what `traffic_control.audit` is told, and finds it again."""

import uuid

from django.db.models import Q, QuerySet
from django.utils import timezone

from monitoring import audit_chain
from monitoring.models import AuditEntry
from traffic_control.audit import RECIPIENT, Deed


def keep(deed: Deed) -> None:
    """In the caller's transaction: no deed without its entry, and no entry of what was rolled back."""
    entry = AuditEntry(
        tenant_id=deed.tenant_id,
        action=deed.action,
        actor_kind=deed.actor.kind,
        actor_id=deed.actor.id,
        actor_label=deed.actor.label,
        object_kind=deed.object_kind,
        object_id=deed.object_id,
        summary=deed.summary,
        changes=deed.changes,
        ip="" if deed.actor.kind == RECIPIENT else deed.ip,  # a person's, who may ask to be forgotten
        request_id=deed.request_id,
        at=timezone.now(),
    )
    audit_chain.append(entry)


def of_tenant(tenant_id: uuid.UUID) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(tenant_id=tenant_id)


def by(actor: str) -> Q:
    """`actor` is a kind, an id, or the label that the log shows."""
    return Q(actor_kind=actor) | Q(actor_id=actor) | Q(actor_label=actor)
