"""Tenants' templates: saved as immutable versions, found by name, channel and the nearest locale."""

import difflib
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from notification_processor import rendering
from notification_processor.models import MessageTemplate, TemplateVersion
from notification_processor.rendering import Source
from tenants.models import Tenant
from traffic_control import audit
from traffic_control.errors import Problem, invalid

T = TypeVar("T")

DEFAULT_LOCALE = "en"
KEPT = 500  # versions a process remembers; they never change
PARTS = ("subject", "body", "html")
_known: dict[str, Source] = {}


def of_tenant(tenant_id: uuid.UUID) -> QuerySet[MessageTemplate]:
    rows = MessageTemplate.objects.filter(tenant_id=tenant_id, archived_at__isnull=True)
    return rows.select_related("current")


def create(tenant: Tenant, *, name: str, channel: str, locale: str, parts: dict[str, str]) -> MessageTemplate:
    """Archives the starter of the same name, if it is there still.

    Raises Problem: `template_exists` (409), or a syntax error with line and part (400).
    """
    check_parts(channel, parts, owner=tenant.id)
    same = of_tenant(tenant.id).filter(name=name, channel=channel, locale=locale)
    try:
        with transaction.atomic():
            same.filter(current__is_starter=True).update(archived_at=timezone.now())
            template = MessageTemplate.objects.create(tenant=tenant, name=name, channel=channel, locale=locale)
            _add_version(template, 1, parts)
    except IntegrityError as exc:
        detail = f'Template "{name}" for {channel} ({locale}) exists already; PUT or PATCH it to make a new version.'
        raise Problem("template_exists", detail, status=409) from exc
    return template


def revise(template: MessageTemplate, parts: dict[str, str]) -> MessageTemplate:
    """A new version, unless nothing changes. What is under way keeps the version it pinned."""
    current = version_parts(template)
    merged = current | parts
    if merged == current:
        return template
    check_parts(template.channel, merged, owner=template.tenant_id)
    with transaction.atomic():
        MessageTemplate.objects.for_tenant(template.tenant_id).select_for_update().get(pk=template.pk)
        last = template.versions.aggregate(last=Max("number"))["last"] or 0
        _add_version(template, last + 1, merged)
    return template


def restore(template: MessageTemplate, number: int) -> MessageTemplate:
    """A new version with the words of an earlier one, unless they are the current ones. Raises Problem 404."""
    earlier = template.versions.filter(number=number).first()
    if earlier is None:
        raise Problem("not_found", f"Template {template} has no version {number}.", status=404)
    before = template.current_id
    with transaction.atomic():
        template = revise(template, {part: getattr(earlier, part) for part in PARTS})
        if template.current and template.current_id != before:
            told = f"Template {template}: version {template.current.number} has the words of version {number}"
            audit.record(
                "template.restored", tenant_id=template.tenant_id, object_id=template.pk, summary=told
            )  # fmt: skip
    return template


def version_parts(template: MessageTemplate) -> dict[str, str]:
    return {part: getattr(template.current, part) for part in PARTS}


def _add_version(template: MessageTemplate, number: int, parts: dict[str, str]) -> None:
    template.current = TemplateVersion.objects.create(template=template, number=number, **parts)
    template.save(update_fields=["current", "updated_at"])


def check_parts(channel: str, parts: dict[str, str], *, owner: uuid.UUID | None) -> None:
    """Raises Problem for a template without words, or one that does not compile: with its line and part."""
    if not parts.get("body") and not parts.get("html"):
        raise invalid("/body", "A template needs a body (or html).", code="required")
    try:
        source = Source("", channel, parts["subject"], parts["body"], parts["html"])
        rendering.check(source, owner=str(owner or ""))
    except rendering.TemplateFault as fault:
        error = {"pointer": f"#/{fault.part}", "code": "template_syntax", "detail": str(fault)}
        located = {k: v for k, v in (("line", fault.line), ("column", fault.column)) if v}
        raise Problem("template_syntax", str(fault), errors=[error | located]) from fault


def source_of(template: MessageTemplate) -> Source:
    version = template.current
    assert version is not None  # noqa: S101 - a template is saved with its first version
    return Source(
        key=str(version.id),
        channel=template.channel,
        subject=version.subject,
        body=version.body,
        html=version.html,
        name=template.name,
        number=version.number,
        is_starter=version.is_starter,
    )


def find(tenant_id: uuid.UUID, name: str, channel: str, *, locale: str = "") -> tuple[Source, bool]:
    """The current version for this name and channel, and whether it is the only one, whatever the locale.

    Raises Problem `unknown_template` with a did-you-mean.
    """
    rows = MessageTemplate.objects.filter(
        tenant_id=tenant_id, name=name, channel=channel, archived_at__isnull=True
    ).values_list("locale", "current_id", "tenant__default_locale")
    versions = {row[0].lower(): row[1] for row in rows}
    if not versions:
        raise _unknown(tenant_id, name, channel)
    (source,) = sources([str(nearest(versions, locale, rows[0][2]))]).values()
    return source, len(versions) == 1


def nearest(by_locale: Mapping[str, T], *locales: str) -> T:
    """pt-BR is served by pt-BR, else pt; then likewise the next locale, the system's, and whatever there is.

    The keys of `by_locale` are in lower case.
    """
    for locale in (*locales, DEFAULT_LOCALE):
        for wanted in (locale.lower(), locale.lower().split("-")[0]):
            if wanted in by_locale:
                return by_locale[wanted]
    return by_locale[min(by_locale)]


def _unknown(tenant_id: uuid.UUID, name: str, channel: str) -> Problem:
    known = list(of_tenant(tenant_id).values_list("name", "channel"))
    same_name = sorted({c for n, c in known if n == name})
    meant = difflib.get_close_matches(name, {n for n, c in known if c == channel}, n=1)
    detail = f'Template "{name}" does not exist for {channel}.'
    if same_name:
        detail += f" It exists for {', '.join(same_name)}."
    elif meant:
        detail += f' Did you mean "{meant[0]}"?'
    detail += " List: GET /v1/templates/."
    error = {"pointer": "#/template", "code": "unknown_template", "detail": detail}
    if meant:
        error["hint"] = meant[0]
    return Problem("unknown_template", detail, errors=[error])


def pinned(pairs: set[tuple[uuid.UUID, str]]) -> dict[tuple[uuid.UUID, str], dict[str, dict[str, str]]]:
    """For (tenant, name): channel → locale → current version id. One query for all."""
    rows = MessageTemplate.objects.filter(
        archived_at__isnull=True, tenant_id__in={t for t, _ in pairs}, name__in={n for _, n in pairs}
    ).values_list("tenant_id", "name", "channel", "locale", "current_id")
    found: dict[tuple[uuid.UUID, str], dict[str, dict[str, str]]] = {}
    for tenant_id, name, channel, locale, version_id in rows:
        found.setdefault((tenant_id, name), {}).setdefault(channel, {})[locale.lower()] = str(version_id)
    return found


def sources(version_ids: Collection[str]) -> dict[str, Source]:
    """Pinned versions by id, archived templates included. One query for those that the process does not know yet."""
    if unknown := [version for version in version_ids if version not in _known]:
        if len(_known) + len(unknown) > KEPT:
            _known.clear()
        _known.update(_read(unknown))
    return {version: _known[version] for version in version_ids}


def _read(version_ids: Sequence[str]) -> dict[str, Source]:
    rows = TemplateVersion.objects.in_scope().filter(id__in=version_ids).select_related("template")
    return {
        str(v.id): Source(
            str(v.id), v.template.channel, v.subject, v.body, v.html, v.template.name, v.number, v.is_starter
        )
        for v in rows
    }
