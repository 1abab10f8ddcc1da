from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from tenants import integration_config, integrations
from tenants.admin_base import TenantScopedAdmin
from tenants.admin_display import pairs, pill, told_once
from tenants.admin_integration_forms import IntegrationForm, fields_of, form_for
from tenants.admin_lists import TenantFilter, is_set, one_of
from tenants.masking import scrubbed
from tenants.models import Integration, Tenant
from tenants.providers import PROVIDERS, Provider, provider_of

NO_PROVIDER = Provider("", ())


@admin.register(Integration)
class IntegrationAdmin(TenantScopedAdmin):
    """Secrets go in and never come out: of what is stored, the last four characters are shown."""

    list_display = ("__str__", "name", "tenant", "state", "is_default", "shown_config", "shown_secrets", "updated_at")
    list_filter = (
        one_of("channel", PROVIDERS),
        is_set("paused_at", title="pause", no="running", yes="paused"),
        TenantFilter,
    )
    list_select_related = ("tenant",)
    search_fields = ("name__istartswith",)
    ordering = ("-id",)
    autocomplete_fields = ("tenant",)
    actions = ("resume",)
    page_actions = ("resume",)
    masked = {"paused_reason": "masked_paused_reason"}
    facts = ("channel", "provider", "state", "paused_at", "paused_reason", "created_at", "updated_at")
    readonly_fields = (*facts, "shown_config", "shown_secrets")

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.GET.get("channel") in PROVIDERS or not self.has_add_permission(request):
            page: HttpResponse = super().add_view(request, *args, **kwargs)
            return page
        context = {
            **self.admin_site.each_context(request),
            "title": "Add integration",
            "opts": self.opts,
            "channels": list(PROVIDERS),
        }
        return TemplateResponse(request, "admin/choose_channel.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        provider = provider_for(request, obj)
        is_writable = obj is None or self.has_change_permission(request, obj)
        settings = fields_of(provider, obj) if is_writable else ["shown_config", "shown_secrets"]
        own = ["tenant", "name", "is_default", *(["is_active", *self.facts] if obj else [])]
        title = f"{(obj.channel if obj else request.GET['channel']).capitalize()}: {provider.name}"
        return [(title, {"fields": settings}), ("About", {"fields": self.shown(request, own)})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=form_for(provider_for(request, obj), obj), **kwargs)

    def save_form(self, request: HttpRequest, form: IntegrationForm, change: bool) -> Integration:
        """The secrets are sealed on the way; a signing secret that was made here is told this once."""
        row: Integration = super().save_form(request, form, change)
        values, made_secret = integration_config.completed(form.provider, form.values)
        if change:
            columns = {name: form.cleaned_data[name] for name in ("name", "is_default", "is_active")}
            integrations.change(row, provider=form.provider, values=values, **columns)
        else:
            row = integrations.create(
                Tenant.objects.get(pk=row.tenant_id),
                request.GET["channel"],
                provider=form.provider,
                values=values,
                name=row.name,
                is_default=row.is_default,
            )
        if made_secret:
            self.message_user(request, told_once({"Signing secret": made_secret}), messages.WARNING)
        return row

    def save_model(self, request: HttpRequest, obj: Integration, form: Any, change: bool) -> None:
        """Saved already, by the same services that the API calls."""

    @admin.action(description="Clear the pause", permissions=["change"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Integration]) -> None:
        paused = list(chosen.exclude(paused_at=None))
        for row in paused:
            integrations.resume(row.pk)
        self.log_each(request, paused, "Pause cleared.")
        told = f"{len(paused)} of {chosen.count()} resumed. What waited for them is sent within seconds."
        self.message_user(request, told, messages.SUCCESS if paused else messages.WARNING)

    def offers(self, action: str, row: Any) -> bool:
        return row.paused_at is not None

    def page_links(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        if not self.has_change_permission(request, row):
            return []
        return [(reverse("admin:delivery_gateway_notificationlog_trial", args=[row.pk]), "Send a test message")]

    @admin.display(description="state")
    def state(self, row: Integration) -> SafeString:
        return pill("paused" if row.paused_at else "active" if row.is_active else "off")

    @admin.display(description="paused reason")
    def masked_paused_reason(self, row: Integration) -> str:
        return scrubbed(row.paused_reason)

    @admin.display(description="settings")
    def shown_config(self, row: Integration) -> SafeString:
        return pairs(row.config)

    @admin.display(description="secrets")
    def shown_secrets(self, row: Integration) -> SafeString:
        return pairs(row.secret_hints)


def provider_for(request: HttpRequest, row: Integration | None) -> Provider:
    """Of a stored row, or of the channel that was chosen for a new one."""
    found = provider_of(row.channel, row.provider) if row else provider_of(request.GET.get("channel", ""))
    return found or NO_PROVIDER
