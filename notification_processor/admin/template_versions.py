"""The page that shows two versions of a template beside what has changed between them, and puts an old one back."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from notification_processor import templates
from notification_processor.differences import lines_between
from notification_processor.models import MessageTemplate, TemplateVersion
from tenants.admin_base import TenantScopedAdmin
from tenants.console_policy import closed

LISTED = 200  # versions to choose from
TITLES = {"subject": "Subject", "body": "Body", "html": "HTML"}


def compare(request: HttpRequest, console: TenantScopedAdmin, template_id: uuid.UUID) -> HttpResponse:
    """`?before=` and `?after=` are numbers of versions; without them, the two newest."""
    template = found_by(request, console, template_id)
    versions = list(template.versions.order_by("-number")[:LISTED])
    after = _chosen(request, "after", versions, versions[0])
    before = _chosen(request, "before", versions, _one_earlier(versions, after))
    current = template.current
    is_restorable = console.has_change_permission(request, template) and current is not None
    context = {
        **console.admin_site.each_context(request),
        "media": console.media,
        "title": f"{template}: what has changed",
        "opts": MessageTemplate._meta,
        "original": template,
        "template": template,
        "versions": versions,
        "before": before,
        "after": after,
        "parts": [(TITLES[part], _lines(before, after, part)) for part in templates.PARTS],
        "is_restorable": is_restorable and _words(before) != _words(current),
    }
    return closed(TemplateResponse(request, "notification_processor/template_versions.html", context))


def restore(request: HttpRequest, console: TenantScopedAdmin, template_id: uuid.UUID, number: int) -> HttpResponse:
    """A new version with the words of an earlier one."""
    template = found_by(request, console, template_id)
    if request.method != "POST" or not console.has_change_permission(request, template):
        raise PermissionDenied
    template = templates.restore(template, number)
    assert template.current is not None  # noqa: S101 - a template is saved with its first version
    told = f"Version {template.current.number}, with the words of version {number}, is in use from now on."
    console.log_each(request, [template], f"Put back the words of version {number}.")
    console.message_user(request, told, messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:notification_processor_messagetemplate_change", args=[template.pk]))


def found_by(request: HttpRequest, console: TenantScopedAdmin, template_id: uuid.UUID) -> MessageTemplate:
    """Raises Http404 for what is not there for whoever asks."""
    template: MessageTemplate | None = (
        console.get_queryset(request).select_related("current", "tenant").filter(pk=template_id).first()
    )
    if template is None:
        raise Http404
    if not console.has_view_permission(request, template):
        raise PermissionDenied
    return template


def _chosen(
    request: HttpRequest, name: str, versions: list[TemplateVersion], otherwise: TemplateVersion
) -> TemplateVersion:
    return next((one for one in versions if str(one.number) == request.GET.get(name)), otherwise)


def _one_earlier(versions: list[TemplateVersion], version: TemplateVersion) -> TemplateVersion:
    return next((one for one in versions if one.number < version.number), version)


def _lines(before: TemplateVersion, after: TemplateVersion, part: str) -> Any:
    return lines_between(getattr(before, part), getattr(after, part))


def _words(version: TemplateVersion | None) -> tuple[str, ...]:
    return tuple(getattr(version, part) for part in templates.PARTS)
