"""The audit log in the console."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from monitoring.models import AuditEntry
from tenants.admin_base import FactAdmin
from tenants.admin_display import DASH, code, pill
from tenants.admin_lists import AgeFilter, TenantFilter, by_id, first_found, one_of
from tenants.masking import scrubbed

admin.site.index_template = "monitoring/dashboard.html"


@admin.register(AuditEntry)
class AuditEntryAdmin(FactAdmin):
    list_display = ("at", "who", "shown_action", "summary", "tenant", "ip")
    list_filter = (
        one_of("actor_kind", ("api_key", "user", "system", "anonymous"), title="who"),
        AgeFilter,
        TenantFilter,
    )
    list_select_related = ("tenant",)
    masked = {"summary": "masked_summary"}
    search_fields = ("id", "object_id")
    search_help_text = "The id of a key, an integration, a template …: what was done to it."
    fieldsets = (
        (None, {"fields": ("at", "who", "shown_action", "summary", "shown_changes")}),
        ("From where", {"fields": ("ip", "request_id")}),
        ("Further", {"fields": ("id", "tenant", "object_kind", "object_id", "actor_id")}),
    )

    def matches(self, request: HttpRequest, rows: QuerySet[AuditEntry], term: str) -> QuerySet[AuditEntry]:
        return first_found(by_id(rows, term), rows.filter(object_id=term))

    @admin.display(description="who")
    def who(self, entry: AuditEntry) -> SafeString:
        return format_html("{} {}", pill(entry.actor_kind), entry.actor_label)

    @admin.display(description="summary")
    def masked_summary(self, entry: AuditEntry) -> str:
        """It may quote a provider, or why somebody put letters away."""
        return scrubbed(entry.summary)

    @admin.display(description="action")
    def shown_action(self, entry: AuditEntry) -> SafeString:
        return code(entry.action)

    @admin.display(description="changes")
    def shown_changes(self, entry: AuditEntry) -> SafeString:
        """Hashes: whether two values are the same can be seen, what they are cannot."""
        lines = (
            (name, change.get("before") or DASH, change.get("after") or DASH) for name, change in entry.changes.items()
        )
        return format_html_join("", "<div>{}: <code>{}</code> → <code>{}</code></div>", lines) or SafeString(DASH)
