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
from tenants.admin_display import pill
from tenants.admin_forms import dressed
from tenants.admin_lists import of_each_tenant
from tenants.masking import mask, scrubbed

MESSAGES = 50  # of which the events are listed to choose from
SEEN = ("notification_processor.view_event", "delivery_gateway.view_notificationlog")


class Question(forms.Form):
    """Whom and what it is about."""

    user_id = forms.CharField(
        label="Customer",
        max_length=128,
        help_text="The user_id that your own system uses.",
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    event_id = forms.UUIDField(label="Event", required=False, help_text="Its id. Empty: choose from the newest.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)


def page(request: HttpRequest, console: TenantScopedAdmin) -> HttpResponse:
    """`console` knows the events that whoever asks may see."""
    if not request.user.has_perms(SEEN):
        raise PermissionDenied
    form = Question(request.GET or None)
    found = recent = None
    if form.is_bound and form.is_valid() and not form.cleaned_data["event_id"]:
        recent = _recent(request, console, form.cleaned_data["user_id"])
    elif form.is_bound and form.is_valid():
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
        "recent": recent,
        "summary": found and (found.summary if may_see_addresses(request) else scrubbed(found.summary)),
        "rows": _rows(found, sees_addresses=may_see_addresses(request)) if found else [],
    }
    return TemplateResponse(request, "notification_processor/explain.html", context)


def _recent(request: HttpRequest, console: TenantScopedAdmin, user_id: str) -> list[dict[str, Any]]:
    """Events of which somebody was told, or not, the newest first."""
    messages = console.admin_site.get_model_admin(NotificationLog).get_queryset(request)
    own = of_each_tenant(messages).filter(user_id=user_id, event_id__isnull=False).select_related("tenant")
    events: dict[Any, dict[str, Any]] = {}
    for row in own.order_by("-id")[:MESSAGES]:
        about = {"id": row.event_id, "type": row.event_type, "at": row.created_at, "tenant": row.tenant, "ended": []}
        events.setdefault(row.event_id, about)["ended"].append((row.channel, pill(row.status)))
    return list(events.values())


def _rows(found: Explanation, *, sees_addresses: bool) -> list[dict[str, Any]]:
    def said(text: str, row: NotificationLog) -> str:
        return text if sees_addresses else scrubbed(text, about=row.to)

    return [
        {
            "row": row,
            "status": pill(row.status),
            "to": _address(row, sees_addresses=sees_addresses),
            "summary": said(explaining.summary(row), row),
            "hits": [replace(hit, detail=said(hit.detail, row)) for hit in explaining.hits(row)],
        }
        for row in found.rows
    ]


def _address(row: NotificationLog, *, sees_addresses: bool) -> str:
    return row.to if sees_addresses or row.channel == "in_app" else mask(row.to)
