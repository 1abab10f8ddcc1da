"""Rows that people look after: whoever saves or deletes one, through the API or the console, is noted.

Changes that go past `save` (an UPDATE of ours) call `audit.record` themselves.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_save
from django.utils.text import capfirst

from delivery_gateway.models import Suppression
from notification_processor.models import MessageTemplate, TemplateVersion, Workflow
from tenants.models import ApiKey, Integration, Membership, Tenant
from traffic_control import audit
from traffic_control.audit import USER, Change
from user_preferences.models import Customer, Preference

PARTS = ("subject", "body", "html")
BEFORE = "_values_before"


@dataclass(frozen=True, slots=True)
class Watched:
    """`for_users`: noted only when a user of the console does it. A tenant's own calls are its daily business."""

    kind: str
    fields: tuple[str, ...]
    for_users: bool = False

    def is_noted(self) -> bool:
        return not self.for_users or audit.current_actor().kind == USER


WATCHED: dict[type[Model], Watched] = {
    Tenant: Watched(
        "tenant", ("name", "email", "is_active", "channel_defaults", "default_locale", "timezone", "content_days")
    ),
    Membership: Watched("membership", ("user_id", "tenant_id")),
    ApiKey: Watched("api_key", ("name", "mode", "scopes", "expires_at")),
    Integration: Watched(
        "integration", ("channel", "provider", "name", "config", "sealed", "is_default", "is_active")
    ),
    Workflow: Watched(
        "workflow",
        ("channels", "template", "category", "is_critical", "is_active", "dedup_key", "dedup_window"),
    ),
    Customer: Watched("customer", ("name", "email", "phone", "addresses", "locale", "timezone", "attributes"), True),
    Preference: Watched("preference", ("is_enabled",), True),
    Suppression: Watched("suppression", ("scope", "reason"), True),
}  # fmt: skip


def watch() -> None:
    """Connects the signals, once."""
    for model in WATCHED:
        name = f"monitoring.watched.{model.__name__}"
        pre_save.connect(remember, sender=model, dispatch_uid=name)
        post_save.connect(saved, sender=model, dispatch_uid=name)
        post_delete.connect(deleted, sender=model, dispatch_uid=name)
    post_save.connect(worded, sender=TemplateVersion, dispatch_uid="monitoring.watched.worded")
    post_save.connect(archived, sender=MessageTemplate, dispatch_uid="monitoring.watched.archived")


def remember(sender: type[Model], instance: Model, **_: Any) -> None:
    """What is stored, before it is overwritten."""
    watched = WATCHED[sender]
    if not instance._state.adding and watched.is_noted():
        stored = sender._base_manager.filter(pk=instance.pk).values(*watched.fields).first()
        setattr(instance, BEFORE, stored or {})


def saved(sender: type[Model], instance: Model, created: bool, **_: Any) -> None:
    watched = WATCHED[sender]
    if not watched.is_noted():
        return
    before = vars(instance).pop(BEFORE, {})
    changes = differences(before, {name: getattr(instance, name) for name in watched.fields})
    if created:
        _note(f"{watched.kind}.created", instance, f"{_title(instance)} created", changes)
    elif changes:
        _note(f"{watched.kind}.changed", instance, f"{_title(instance)} changed: {', '.join(changes)}", changes)


def deleted(sender: type[Model], instance: Model, **_: Any) -> None:
    if WATCHED[sender].is_noted():
        _note(f"{WATCHED[sender].kind}.deleted", instance, f"{_title(instance)} deleted", {})


def worded(sender: type[Model], instance: TemplateVersion, created: bool, **_: Any) -> None:
    """A template's words change with a new version of it."""
    if not created or instance.is_starter:
        return
    template, earlier = instance.template, instance.template.current
    before = {part: getattr(earlier, part) for part in PARTS} if earlier else {}
    changes = differences(before, {part: getattr(instance, part) for part in PARTS})
    action = "template.versioned" if earlier else "template.created"
    _note(action, template, f"{_title(template)}: version {instance.number}", changes)


def archived(sender: type[Model], instance: MessageTemplate, update_fields: Any = None, **_: Any) -> None:
    if "archived_at" in (update_fields or ()):
        _note("template.archived", instance, f"{_title(instance)} archived", {})


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Change]:
    """Empty texts and lists count as nothing."""
    pairs = {name: (before.get(name) or None, value or None) for name, value in after.items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _note(action: str, row: Any, summary: str, changes: dict[str, Change]) -> None:
    tenant_id = row.pk if isinstance(row, Tenant) else row.tenant_id
    audit.record(action, tenant_id=tenant_id, object_id=row.pk, summary=summary, changes=changes)


def _title(row: Model) -> str:
    if isinstance(row, Preference):
        return f"Choice of customer {row.customer_id}: {row}"
    if isinstance(row, Customer):  # its user_id is the person's, who may ask to be forgotten
        return f"Customer {row.pk}"
    return f"{capfirst(str(row._meta.verbose_name))} {row}"
