import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from delivery_gateway.models import Suppression
from delivery_gateway.registry import CHANNELS
from delivery_gateway.suppressions import EVERYTHING, NOT_CRITICAL, address_hash
from tenants.admin_base import BigTableAdmin, TenantForm, tenant_id_of
from tenants.admin_lists import AgeFilter, TenantFilter, one_of
from tenants.masking import scrubbed
from tenants.models import Tenant

REACHABLE = tuple(name for name in CHANNELS if name != "in_app")
SCOPES = {EVERYTHING: "everything", NOT_CRITICAL: "all but what is critical"}
SEARCHED = 500  # tenants whose hash of an address is looked for at once


class SuppressionForm(TenantForm):
    channel = forms.ChoiceField(choices=[(name, name) for name in REACHABLE])
    address = forms.CharField(max_length=2_000, help_text="Kept as a keyed hash only: it cannot be read again.")

    class Meta:
        model = Suppression
        fields = ("tenant", "channel", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        tenant_id = self.tenant_id or getattr(cleaned.get("tenant"), "pk", None)
        if tenant_id and {"channel", "address"} <= cleaned.keys():
            self.instance.address_hash = address_hash(tenant_id, cleaned["address"])
            if Suppression.objects.filter(
                tenant_id=tenant_id,
                channel=cleaned["channel"],
                address_hash=self.instance.address_hash,
                scope=EVERYTHING,
            ).exists():
                self.add_error("address", f"It is suppressed on {cleaned['channel']} already.")
        return cleaned


@admin.register(Suppression)
class SuppressionAdmin(BigTableAdmin):
    """An address is added or lifted; there is nothing to change about it."""

    form = SuppressionForm
    list_display = ("created_at", "channel", "shown_scope", "reason", "shown_hash", "tenant")
    list_filter = (one_of("channel", REACHABLE), AgeFilter, TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("address_hash",)
    search_help_text = "A whole address."
    autocomplete_fields = ("tenant",)
    masked = {"reason": "masked_reason"}
    readonly_fields = ("created_at", "shown_hash", "shown_scope")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        known = ("tenant", "channel", "shown_scope", "reason", "created_at", "shown_hash")
        fields = known if obj else ("tenant", "channel", "address", "reason")
        return [(None, {"fields": self.seen(request, obj, fields)})]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def matches(self, request: HttpRequest, rows: QuerySet[Suppression], term: str) -> QuerySet[Suppression]:
        own = tenant_id_of(request)
        tenants = [own] if own else list(Tenant.objects.order_by("id").values_list("id", flat=True)[:SEARCHED])
        found = Q(tenant_id__in=tenants, channel__in=REACHABLE, address_hash__in=hashes(tenants, term))
        return rows.filter(found)

    @admin.display(description="reason")
    def masked_reason(self, row: Suppression) -> str:
        return scrubbed(row.reason)

    @admin.display(description="keeps back")
    def shown_scope(self, row: Suppression) -> str:
        return SCOPES.get(row.scope, f'the category "{row.scope}"')

    @admin.display(description="address, hashed")
    def shown_hash(self, row: Suppression) -> str:
        return f"{row.address_hash[:12]}…"


def hashes(tenants: list[uuid.UUID], address: str) -> list[str]:
    return [address_hash(tenant_id, address) for tenant_id in tenants]
