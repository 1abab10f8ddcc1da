"""`/docs/errors/`: where the `type` of a problem leads."""

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from traffic_control.error_catalogue import CATALOGUE, INTRODUCTION


def errors(request: HttpRequest) -> HttpResponse:
    entries = [
        {"code": e.code, "status": e.status, "meaning": _html(e.meaning), "remedy": _html(e.remedy)} for e in CATALOGUE
    ]
    return render(request, "traffic_control/errors.html", {"entries": entries, "introduction": _html(INTRODUCTION)})


def _html(text: str) -> SafeString:
    """Text of the catalogue with `code` in it."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S308  # escaped, and ours
