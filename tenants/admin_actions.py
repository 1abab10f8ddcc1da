"""Actions that ask before they act."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

LISTED = 20


def is_confirmed(request: HttpRequest) -> bool:
    return request.POST.get("confirmed") == "yes"


def confirmation(
    page: ModelAdmin, request: HttpRequest, rows: Sequence[Model], *, action: str, question: str, warning: str = ""
) -> HttpResponse:
    """A page that asks, and then sends the same action again with the answer."""
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": "Are you sure?",
        "opts": page.opts,
        "media": page.media,
        "action": action,
        "question": question,
        "warning": warning,
        "rows": rows[:LISTED],
        "further": max(0, len(rows) - LISTED),
        "checkbox": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "is_across": request.POST.get("select_across") == "1",
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)
