"""The page that says why somebody was told of an event, or was not."""

from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from delivery_gateway import explaining
from delivery_gateway.models import NotificationLog
from notification_processor import explanation
from notification_processor.explanation import Explanation
from notification_processor.models import Event
from tenants.admin_base import TenantScopedAdmin, may_see_addresses
from tenants.admin_forms import dressed
from tenants.masking import mask, scrubbed

SEEN = ("notification_processor.view_event", "delivery_gateway.view_notificationlog")


class Question(forms.Form):
    """Whom and what it is about."""

    event_id = forms.UUIDField(label="Event", help_text="The id of an event.")
    user_id = forms.CharField(label="Customer", max_length=128, help_text="The user_id that your own system uses.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)


def page(request: HttpRequest, console: TenantScopedAdmin) -> HttpResponse:
    """`console` knows the events that whoever asks may see."""
    if not request.user.has_perms(SEEN):
        raise PermissionDenied
    form = Question(request.GET or None)
    found = None
    if form.is_bound and form.is_valid():
        event = console.get_queryset(request).filter(id=form.cleaned_data["event_id"]).first()
        if event is None:
            form.add_error("event_id", "There is no such event here.")
        else:
            found = explanation.of_customer(event.tenant_id, event.id, form.cleaned_data["user_id"])
    context = {
        **console.admin_site.each_context(request),
        "media": console.media,
        "title": "Why did they (not) get it?",
        "opts": Event._meta,
        "question": form,
        "found": found,
        "summary": found and (found.summary if may_see_addresses(request) else scrubbed(found.summary)),
        "rows": _rows(found, sees_addresses=may_see_addresses(request)) if found else [],
    }
    return TemplateResponse(request, "notification_processor/explain.html", context)


def _rows(found: Explanation, *, sees_addresses: bool) -> list[dict[str, Any]]:
    def said(text: str, row: NotificationLog) -> str:
        return text if sees_addresses else scrubbed(text, about=row.to)

    return [
        {
            "row": row,
            "to": _address(row, sees_addresses=sees_addresses),
            "summary": said(explaining.summary(row), row),
            "hits": [replace(hit, detail=said(hit.detail, row)) for hit in explaining.hits(row)],
        }
        for row in found.rows
    ]


def _address(row: NotificationLog, *, sees_addresses: bool) -> str:
    return row.to if sees_addresses or row.channel == "in_app" else mask(row.to)
