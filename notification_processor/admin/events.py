import uuid

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from delivery_gateway.selectors import counts_by_status
from notification_processor.admin import explain as explain_page
from notification_processor.admin import resend as resend_page
from notification_processor.models import Event
from tenants.admin_base import FactAdmin
from tenants.admin_display import DASH, json_block, link_to_list, once, pairs, pill
from tenants.admin_lists import AgeFilter, TenantFilter, by_id, first_found, of_each_tenant, one_of
from tenants.masking import scrubbed

RECIPIENTS_SHOWN = 50


@admin.register(Event)
class EventAdmin(FactAdmin):
    list_display = ("received_at", "event_type", "shown_state", "audience", "shown_mode", "notifications", "tenant")
    list_filter = (one_of("state", Event.State.values), one_of("mode", ("live", "test")), AgeFilter, TenantFilter)
    list_select_related = ("tenant",)
    masked = {"error": "masked_error"}
    search_fields = ("id", "idempotency_key")
    search_help_text = "The id of an event, or a whole idempotency key."
    fieldsets = (
        (None, {"fields": ("event_type", "shown_state", "error", "audience", "counts", "notifications")}),
        ("What was said", {"fields": ("shown_payload", "shown_recipients", "shown_channels", "priority")}),
        ("When", {"fields": ("occurred_at", "received_at", "due_at", "expires_at", "completed_at")}),
        (
            "Further",
            {
                "classes": ("collapse",),
                "fields": ("id", "tenant", "shown_mode", "idempotency_key", "shown_plan", "cursor"),
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = [
            path("explain/", wrap(self.explain), name="notification_processor_event_explain"),
            path("resend/<uuid:notification_id>/", wrap(self.resend), name="notification_processor_event_resend"),
        ]
        return [*pages, *super().get_urls()]

    def explain(self, request: HttpRequest) -> HttpResponse:
        return explain_page.page(request, self)

    def resend(self, request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
        return resend_page.page(request, self, notification_id)

    def matches(self, request: HttpRequest, rows: QuerySet[Event], term: str) -> QuerySet[Event]:
        return first_found(by_id(rows, term), of_each_tenant(rows).filter(idempotency_key=term))

    @admin.display(description="state")
    def shown_state(self, event: Event) -> SafeString:
        return pill(event.state)

    @admin.display(description="error")
    def masked_error(self, event: Event) -> str:
        return scrubbed(event.error)

    @admin.display(description="mode")
    def shown_mode(self, event: Event) -> SafeString:
        return pill(event.mode)

    @admin.display(description="for")
    def audience(self, event: Event) -> str:
        if event.topic:
            return "every customer" if event.topic == "all" else f"topic {event.topic}"
        first = event.recipients[0] if event.recipients else DASH
        return f"{first} and {len(event.recipients) - 1} more" if len(event.recipients) > 1 else first

    @admin.display(description="notifications")
    def notifications(self, event: Event) -> SafeString:
        return link_to_list("delivery_gateway_notificationlog", "Show", event_id=event.pk)

    @admin.display(description="outcome")
    @once
    def counts(self, event: Event) -> SafeString:
        return pairs(counts_by_status(event.tenant_id, event.pk))

    @admin.display(description="payload")
    def shown_payload(self, event: Event) -> SafeString:
        return json_block(event.payload)

    @admin.display(description="recipients")
    def shown_recipients(self, event: Event) -> str:
        further = len(event.recipients) - RECIPIENTS_SHOWN
        listed = ", ".join(event.recipients[:RECIPIENTS_SHOWN])
        return f"{listed} and {further} more" if further > 0 else listed or DASH

    @admin.display(description="channels")
    def shown_channels(self, event: Event) -> str:
        return ", ".join(event.channels) if event.channels else "as the workflow has it"

    @admin.display(description="plan")
    def shown_plan(self, event: Event) -> SafeString:
        return json_block(event.plan)
