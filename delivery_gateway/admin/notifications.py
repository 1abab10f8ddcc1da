import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import TabularInline

from delivery_gateway import copies, digests
from delivery_gateway.admin import trials
from delivery_gateway.admin.drawn import drawn
from delivery_gateway.admin.story import Story
from delivery_gateway.models import Attempt, DeadLetter, NotificationCopy, NotificationLog, SandboxMessage
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import RARE, Status
from tenants.admin_base import FactAdmin, ReadOnly, TenantScoped, may_see_addresses, tenant_id_of
from tenants.admin_display import DASH, code, json_block, link_to_page, once, pill, text_block
from tenants.admin_lists import AgeFilter, TenantFilter, by_id, first_found, of_each_tenant, one_of
from tenants.masking import mask, scrubbed

UNDER_WAY = (Status.PENDING, Status.QUEUED, Status.SENDING)
WATCHED_FOR = timedelta(minutes=2)


class AttemptInline(ReadOnly, TenantScoped, TabularInline):
    """Every call of the provider. Whoever may see the notification may see them, its words masked like its address."""

    model = Attempt
    tenant_path = "notification__tenant"
    verbose_name_plural = "Attempts"
    hide_title = True
    classes = ("bare",)
    fields = ("number", "shown_outcome", "shown_code", "http_status", "duration_ms", "detail", "started_at")
    readonly_fields = (*fields, "masked_detail")
    ordering = ("id",)
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("delivery_gateway.view_notificationlog")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        return super().get_queryset(request).select_related("notification")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        sees = may_see_addresses(request)
        return [name if sees or name != "detail" else "masked_detail" for name in self.fields]

    @admin.display(description="detail")
    def masked_detail(self, attempt: Attempt) -> str:
        return scrubbed(attempt.detail, about=attempt.notification.to)

    @admin.display(description="outcome")
    def shown_outcome(self, attempt: Attempt) -> SafeString:
        return pill(attempt.outcome)

    @admin.display(description="code")
    def shown_code(self, attempt: Attempt) -> SafeString:
        return code(attempt.code)


class LedgerAdmin(FactAdmin):
    """What notifications and sandbox messages have in common: an address, words, an event."""

    masked = {"to": "masked_to"}

    @admin.display(description="to")
    def masked_to(self, row: Any) -> str:
        return masked(row)

    @admin.display(description="subject")
    def shown_subject(self, row: Any) -> str:
        return Truncator(row.subject or row.body).chars(60) or DASH

    @admin.display(description="body")
    def shown_body(self, row: Any) -> SafeString:
        return text_block(row.body)

    @admin.display(description="as it is read")
    @once
    def drawn(self, row: Any) -> SafeString:
        return drawn(row)

    @admin.display(description="payload")
    def shown_payload(self, row: Any) -> SafeString:
        return json_block(row.payload)

    @admin.display(description="event")
    def event(self, row: Any) -> SafeString:
        return link_to_page("notification_processor_event", row.event_id, row.event_type)


def _said(row: NotificationLog, copy: NotificationCopy) -> tuple[str, SafeString, str]:
    """What a page says of a copy: of the row, or the row itself."""
    if copy.id == row.id:
        return "This is a copy of", link_to_page("delivery_gateway_notificationlog", copy.original_id), copy.made_by
    is_again = copy.kind == NotificationCopy.Kind.AGAIN
    said = "Sent again as" if is_again else "Sent to staff as"
    return said, link_to_page("delivery_gateway_notificationlog", copy.id), copy.made_by


def masked(row: NotificationLog | SandboxMessage) -> str:
    """The address of the in-app channel is the customer, whom the row names anyway."""
    return row.to if row.channel == "in_app" else mask(row.to)


@admin.register(NotificationLog)
class NotificationAdmin(Story, LedgerAdmin):
    masked = {**LedgerAdmin.masked, **Story.masked_story}
    list_display = (
        "created_at", "state", "shown_reason", "channel", "to", "shown_subject", "event_type", "tenant",
    )  # fmt: skip
    list_filter = (
        one_of("status", Status),
        one_of("channel", CHANNELS),
        one_of("mode", ("live", "test")),
        AgeFilter,
        TenantFilter,
    )
    list_select_related = ("tenant",)
    linked = ("event_id", "user_id")
    keyed = ("event_id",)
    search_fields = ("id", "event_id", "user_id")
    search_help_text = "A whole user_id or address, or the id of a notification or an event."
    inlines = (AttemptInline,)
    change_form_template = "delivery_gateway/notification.html"
    fieldsets = (
        (None, {"fields": ("shown_status", "why", "decisions", "timeline")}),
        ("About", {"fields": ("channel", "to", "customer", "event", "digest", "dead_letter", "copies")}),
        ("Message", {"fields": ("drawn", "template")}),
        ("As stored", {"classes": ("collapse",), "fields": ("subject", "shown_body", "shown_payload")}),
        ("Provider", {"fields": ("provider", "provider_message_id", "provider_response", "error")}),
        (
            "Further",
            {
                "classes": ("collapse",),
                "fields": (
                    "id", "tenant", "shown_mode", "category", "is_critical", "attempts", "ambiguous", "crashes",
                    "created_at", "routed_at", "due_at", "expires_at", "sent_at", "lane", "rank", "fence",
                    "lease_until",
                ),
            },
        ),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        trial = self.admin_site.admin_view(self.trial)
        return [
            path("test/<uuid:integration_id>/", trial, name="delivery_gateway_notificationlog_trial"),
            *super().get_urls(),
        ]

    def trial(self, request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
        return trials.page(request, self, integration_id)

    def page_links(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        if not request.user.has_perm("delivery_gateway.replay_deadletter"):
            return []
        url = reverse("admin:notification_processor_event_resend", args=[row.pk])
        return [(url, "Send again"), (f"{url}?to=me", "Send to me")]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """What is on its way is looked at again by itself, for as long as somebody may be waiting for it."""
        row = kwargs.get("obj")
        is_fresh = row is not None and row.status in UNDER_WAY and timezone.now() - row.created_at < WATCHED_FOR
        page: HttpResponse = super().render_change_form(request, {**context, "is_fresh": is_fresh}, *args, **kwargs)
        return page

    def matches(self, request: HttpRequest, rows: QuerySet[NotificationLog], term: str) -> QuerySet[NotificationLog]:
        if self._is_address(request, term):
            return rows.filter(to=term) if may_see_addresses(request) else rows.none()
        by_user = of_each_tenant(rows).filter(user_id=term)
        return first_found(by_id(rows, term), by_id(rows, term, "event_id"), by_user)

    def is_looked_through(self, request: HttpRequest, asked: Mapping[str, str], term: str) -> bool:
        """Of a tenant's users, and of its messages that have not just gone well, indexes know."""
        is_of_tenant = "tenant" in asked or tenant_id_of(request) is not None
        if not term and is_of_tenant and ("user_id" in asked or asked.get("status") in RARE):
            return False
        return self._is_address(request, term) or super().is_looked_through(request, asked, term)

    def _is_address(self, request: HttpRequest, term: str) -> bool:
        """Of a mailbox or a hook, which no index knows; there are user_ids that look like one."""
        is_like_one = "@" in term or "://" in term
        return is_like_one and not of_each_tenant(self.get_queryset(request)).filter(user_id=term).exists()

    @admin.display(description="status")
    def shown_status(self, row: NotificationLog) -> SafeString:
        return pill(row.status)

    @admin.display(description="mode")
    def shown_mode(self, row: NotificationLog) -> SafeString:
        return pill(row.mode)

    @admin.display(description="status")
    def state(self, row: NotificationLog) -> SafeString:
        """In lists; live ones need no mark."""
        return format_html("{} {}", pill(row.status), pill(row.mode) if row.mode == "test" else "")

    @admin.display(description="reason")
    def shown_reason(self, row: NotificationLog) -> str:
        return row.reason.replace("_", " ") or DASH

    @admin.display(description="customer")
    def customer(self, row: NotificationLog) -> SafeString:
        return link_to_page("user_preferences_customer", row.customer_id, row.user_id)

    @admin.display(description="dead letter")
    @once
    def dead_letter(self, row: NotificationLog) -> SafeString:
        letter = DeadLetter.objects.for_tenant(row.tenant_id).filter(notification_id=row.pk).first()
        return link_to_page("delivery_gateway_deadletter", letter.pk, str(letter)) if letter else SafeString(DASH)

    @admin.display(description="copies")
    @once
    def copies(self, row: NotificationLog) -> SafeString:
        return format_html_join(
            SafeString("<br>"), "{} {} by {}", map(partial(_said, row), copies.around(row))
        ) or SafeString(DASH)

    @admin.display(description="digest")
    def digest(self, row: NotificationLog) -> SafeString:
        """The one that it went into, or what it stands for."""
        page = "delivery_gateway_notificationlog"
        if went_to := digests.digest_id(row):
            return link_to_page(page, went_to, "went into this digest")
        held = digests.contents(row)
        if held is None:
            return SafeString(DASH)
        links = format_html_join("", "<li>{}</li>", ((link_to_page(page, i["id"], i["title"]),) for i in held["items"]))
        return format_html("<ul>{}</ul>{}", links, f"and {held['more']} more" if held["more"] else "")

    @admin.display(description="template")
    def template(self, row: NotificationLog) -> str:
        version = f", version {row.template_version}" if row.template_version else ""
        return f"{row.template_name}{version}" if row.template_name else DASH

    @admin.display(description="error")
    def error(self, row: NotificationLog) -> str:
        return ": ".join(part for part in (row.error_class, row.error_code) if part) or DASH
