from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from delivery_gateway import dead_letters, selectors
from delivery_gateway.admin import triage
from delivery_gateway.admin.notifications import masked
from delivery_gateway.models import DeadLetter
from delivery_gateway.registry import CHANNELS
from tenants.admin_actions import confirmation, is_confirmed
from tenants.admin_base import FactAdmin
from tenants.admin_display import code, link_to_list, link_to_page, pill
from tenants.admin_lists import AgeFilter, TenantFilter, by_id, first_found, is_set, one_of
from tenants.masking import scrubbed

AT_ONCE = 1_000
UNASKED = 100  # more than these, or anything that may arrive twice, is asked about first
TWICE = "{} of them may have arrived already: the provider went silent after the message was handed over."


@admin.register(DeadLetter)
class DeadLetterAdmin(FactAdmin):
    list_display = (
        "age", "state", "channel", "shown_to", "shown_code", "reason", "status", "tenant",
    )  # fmt: skip
    list_filter = (
        is_set("replayed_at", title="replay", no="waiting", yes="replayed"),
        one_of("channel", CHANNELS),
        AgeFilter,
        TenantFilter,
    )
    list_select_related = ("tenant", "notification")
    linked = ("code", "channel", "replay_job_id")
    keyed = ("replay_job_id",)
    search_fields = ("id", "notification_id")
    search_help_text = "The id of a dead letter, a notification or an event."
    actions = ("replay",)
    page_actions = ("replay",)
    masked = {"shown_to": "masked_to", "reason": "masked_reason", "discard_reason": "masked_discard_reason"}
    fieldsets = (
        (
            None,
            {"fields": ("state", "notification_page", "channel", "shown_to", "shown_code", "reason", "retry_count")},
        ),
        ("When", {"fields": ("created_at", "replayed_at", "discarded_at", "discard_reason")}),
        ("Further", {"fields": ("id", "tenant", "same_cause")}),
    )
    change_list_template = "delivery_gateway/dead_letters.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = [
            path("causes/", wrap(self.causes), name="delivery_gateway_deadletter_triage"),
            path("export/", wrap(self.export), name="delivery_gateway_deadletter_export"),
        ]
        return [*pages, *super().get_urls()]

    def causes(self, request: HttpRequest) -> HttpResponse:
        return triage.overview(request, self)

    def export(self, request: HttpRequest) -> Any:
        return triage.export(request, self)

    def matches(self, request: HttpRequest, rows: QuerySet[DeadLetter], term: str) -> QuerySet[DeadLetter]:
        return first_found(*(by_id(rows, term, field) for field in ("pk", "notification_id", "notification__event_id")))

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery_gateway.replay_deadletter")

    def offers(self, action: str, row: Any) -> bool:
        return row.replayed_at is None and row.discarded_at is None

    @admin.action(description="Send again", permissions=["replay"])
    def replay(self, request: HttpRequest, chosen: QuerySet[DeadLetter]) -> HttpResponse | None:
        waiting = selectors.waiting(chosen).select_related("notification").order_by("id")
        letters = list(waiting[:AT_ONCE])
        doubtful = sum(letter.notification.ambiguous > 0 for letter in letters)
        if (doubtful or len(letters) > UNASKED) and not is_confirmed(request):
            question = f"Send {len(letters)} message{pluralize(len(letters))} again, with a fresh retry schedule?"
            warning = TWICE.format(doubtful) if doubtful else ""
            return confirmation(self, request, letters, action="replay", question=question, warning=warning)
        self._replay(request, [letter.pk for letter in letters])
        return None

    def _replay(self, request: HttpRequest, chosen: list[Any]) -> None:
        began: datetime = timezone.now()
        letters = DeadLetter.objects.in_scope().filter(pk__in=chosen)
        with transaction.atomic():
            count = dead_letters.replay(letters, limit=AT_ONCE)
            self.log_each(request, letters.filter(replayed_at__gte=began), "Sent again.")
        told = (
            f"{count} sent again." if count else "Nothing to send again: these were replayed, or are no longer failed."
        )
        if len(chosen) == AT_ONCE:
            told += " That is as many as go at once; there may be more."
        self.message_user(request, told, messages.SUCCESS if count else messages.WARNING)

    @admin.display(description="age")
    def age(self, letter: DeadLetter) -> str:
        return timesince(letter.created_at, depth=1)

    @admin.display(description="state")
    def state(self, letter: DeadLetter) -> SafeString:
        return pill("replayed" if letter.replayed_at else "discarded" if letter.discarded_at else "waiting")

    @admin.display(description="to")
    def shown_to(self, letter: DeadLetter) -> str:
        return letter.notification.to

    @admin.display(description="to")
    def masked_to(self, letter: DeadLetter) -> str:
        return masked(letter.notification)

    @admin.display(description="reason")
    def masked_reason(self, letter: DeadLetter) -> str:
        return scrubbed(letter.reason, about=letter.notification.to)

    @admin.display(description="discard reason")
    def masked_discard_reason(self, letter: DeadLetter) -> str:
        return scrubbed(letter.discard_reason, about=letter.notification.to)

    @admin.display(description="code")
    def shown_code(self, letter: DeadLetter) -> SafeString:
        return code(letter.code)

    @admin.display(description="notification is")
    def status(self, letter: DeadLetter) -> SafeString:
        return pill(letter.notification.status)

    @admin.display(description="notification")
    def notification_page(self, letter: DeadLetter) -> SafeString:
        return format_html(
            "{} {}", link_to_page("delivery_gateway_notificationlog", letter.notification_id), self.status(letter)
        )

    @admin.display(description="same cause")
    def same_cause(self, letter: DeadLetter) -> SafeString:
        text = f"Dead letters of {letter.channel} with this code"
        return link_to_list("delivery_gateway_deadletter", text, channel=letter.channel, code=letter.code)
