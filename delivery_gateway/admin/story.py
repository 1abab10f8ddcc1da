"""What was decided about a message and what became of it, as much of it as whoever looks may see."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery_gateway import explaining
from delivery_gateway.models import NotificationLog
from delivery_gateway.selectors import timeline_of
from tenants.admin_display import once
from tenants.masking import scrubbed


def as_it_is(text: str, *, about: str = "") -> str:
    """For whoever may see addresses; for all others there is `tenants.masking.scrubbed`."""
    return text


class Story:
    """Fields of a notification's page that tell of addresses: each as it is, and masked."""

    masked_story = {name: f"masked_{name}" for name in ("why", "decisions", "timeline", "provider_response")}

    @admin.display(description="why")
    @once
    def why(self, row: NotificationLog) -> SafeString:
        return why(row, as_it_is)

    @admin.display(description="why")
    @once
    def masked_why(self, row: NotificationLog) -> SafeString:
        return why(row, scrubbed)

    @admin.display(description="decisions")
    @once
    def decisions(self, row: NotificationLog) -> SafeString:
        return decisions(row, as_it_is)

    @admin.display(description="decisions")
    @once
    def masked_decisions(self, row: NotificationLog) -> SafeString:
        return decisions(row, scrubbed)

    @admin.display(description="timeline")
    @once
    def timeline(self, row: NotificationLog) -> SafeString:
        return timeline(row, as_it_is)

    @admin.display(description="timeline")
    @once
    def masked_timeline(self, row: NotificationLog) -> SafeString:
        return timeline(row, scrubbed)

    @admin.display(description="provider response")
    def masked_provider_response(self, row: NotificationLog) -> str:
        return scrubbed(row.provider_response, about=row.to)


def why(row: NotificationLog, said: Any) -> SafeString:
    """The sentence, and a way to the other channels of the same event."""
    summary = said(explaining.summary(row), about=row.to)
    if not (row.event_id and row.user_id):
        return format_html("{}", summary)
    query = urlencode({"event_id": row.event_id, "user_id": row.user_id})
    page = reverse("admin:notification_processor_event_explain")
    return format_html('{} <a href="{}?{}">Explain</a>', summary, page, query)


def decisions(row: NotificationLog, said: Any) -> SafeString:
    hits = [replace(hit, detail=said(hit.detail, about=row.to)) for hit in explaining.hits(row)]
    return render_to_string("delivery_gateway/decisions.html", {"hits": hits})


def timeline(row: NotificationLog, said: Any) -> SafeString:
    steps = [
        {**step, "what": step["what"].replace("_", " "), "detail": said(step["detail"], about=row.to)}
        for step in timeline_of(row)
    ]
    return render_to_string("delivery_gateway/timeline.html", {"steps": steps})
