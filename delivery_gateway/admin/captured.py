"""Messages that ended inside the house: in a customer's inbox, or in the sandbox of a test key."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from delivery_gateway.admin.notifications import LedgerAdmin
from delivery_gateway.models import InboxItem, SandboxMessage
from delivery_gateway.registry import CHANNELS
from tenants.admin_base import FactAdmin
from tenants.admin_display import DASH, json_block, link_to_page, pill, text_block
from tenants.admin_lists import AgeFilter, TenantFilter, by_id, first_found, of_each_tenant, one_of


@admin.register(SandboxMessage)
class SandboxMessageAdmin(LedgerAdmin):
    list_display = ("created_at", "channel", "to", "shown_subject", "user_id", "event_type", "tenant")
    list_filter = (one_of("channel", CHANNELS), AgeFilter, TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("id",)
    search_help_text = "The id of a notification."
    fieldsets = (
        (None, {"fields": ("created_at", "channel", "to", "user_id", "event", "notification")}),
        ("Message", {"fields": ("drawn",)}),
        ("As stored", {"classes": ("collapse",), "fields": ("subject", "shown_body", "shown_payload")}),
        ("Further", {"fields": ("id", "tenant")}),
    )

    def matches(self, request: HttpRequest, rows: QuerySet[SandboxMessage], term: str) -> QuerySet[SandboxMessage]:
        return by_id(rows, term)

    @admin.display(description="notification")
    def notification(self, message: SandboxMessage) -> SafeString:
        return link_to_page("delivery_gateway_notificationlog", message.pk)


@admin.register(InboxItem)
class InboxItemAdmin(FactAdmin):
    list_display = ("created_at", "shown_title", "state", "customer", "category", "tenant")
    list_filter = (AgeFilter, TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("id", "customer_id")
    search_help_text = "The id of a notification or a customer."
    linked = keyed = ("customer_id",)
    fieldsets = (
        (None, {"fields": ("state", "customer", "notification", "category")}),
        ("Message", {"fields": ("title", "shown_body", "shown_payload")}),
        ("When", {"fields": ("created_at", "seen_at", "read_at", "archived_at")}),
        ("Further", {"fields": ("id", "tenant")}),
    )

    def matches(self, request: HttpRequest, rows: QuerySet[InboxItem], term: str) -> QuerySet[InboxItem]:
        return first_found(by_id(rows, term), by_id(of_each_tenant(rows), term, "customer_id"))

    @admin.display(description="title")
    def shown_title(self, item: InboxItem) -> str:
        return Truncator(item.title or item.body).chars(80) or DASH

    @admin.display(description="state")
    def state(self, item: InboxItem) -> SafeString:
        return pill(
            "archived" if item.archived_at else "read" if item.read_at else "seen" if item.seen_at else "unseen"
        )

    @admin.display(description="customer")
    def customer(self, item: InboxItem) -> SafeString:
        return link_to_page("user_preferences_customer", item.customer_id)

    @admin.display(description="notification")
    def notification(self, item: InboxItem) -> SafeString:
        return link_to_page("delivery_gateway_notificationlog", item.pk)

    @admin.display(description="body")
    def shown_body(self, item: InboxItem) -> SafeString:
        return text_block(item.body)

    @admin.display(description="payload")
    def shown_payload(self, item: Any) -> SafeString:
        return json_block(item.payload)
