from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from tenants.admin_base import TenantScopedAdmin
from tenants.admin_display import link_to_list, pairs, pill, told_once
from tenants.admin_forms import OnOffField
from tenants.masking import mask
from tenants.models import Tenant
from tenants.providers import CHANNELS
from tenants.services import register

DEFAULTS = tuple(f"default_{channel}" for channel in CHANNELS)
LISTS = {
    "Notifications": "delivery_gateway_notificationlog",
    "Events": "notification_processor_event",
    "Dead letters": "delivery_gateway_deadletter",
    "Customers": "user_preferences_customer",
    "Templates": "notification_processor_messagetemplate",
    "API keys": "tenants_apikey",
    "Integrations": "tenants_integration",
}


class TenantPageForm(forms.ModelForm):
    """The channel defaults as one choice a channel."""

    vars().update({f"default_{name}": OnOffField(undecided="As the system has it", label=name) for name in CHANNELS})

    class Meta:
        model = Tenant
        fields = ("name", "email", "is_active", "content_days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for channel, is_on in self.instance.channel_defaults.items():
            self.initial[f"default_{channel}"] = is_on

    def clean(self) -> dict[str, Any] | None:
        chosen = {
            name: self.cleaned_data.get(f"default_{name}") for name in CHANNELS if f"default_{name}" in self.fields
        }
        if chosen:
            self.instance.channel_defaults = {name: is_on for name, is_on in chosen.items() if is_on is not None}
        return super().clean()


@admin.register(Tenant)
class TenantAdmin(TenantScopedAdmin):
    """Tenants are made with their keys, switched off, and never deleted here: everything they have would go too."""

    form = TenantPageForm
    tenant_path = "pk"
    list_display = ("name", "slug", "email", "state", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name__istartswith", "slug__exact", "email__exact")
    ordering = ("name",)
    readonly_fields = ("slug", "created_at", "state", "rows")
    masked = {"email": "masked_email"}
    seen_as = dict.fromkeys(DEFAULTS, "shown_defaults")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return [(None, {"fields": ["name", "email"]})]
        is_superuser = request.user.is_superuser
        own = ["name", "email", "is_active" if is_superuser else "state", "content_days", "slug", "created_at", "rows"]
        wanted = {"fields": self.seen(request, obj, DEFAULTS), "description": "For customers who have not chosen."}
        return [(None, {"fields": self.seen(request, obj, own)}), ("Channels", wanted)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Tenant:
        """A new tenant comes with its keys and signing secret, told this once."""
        if change:
            tenant: Tenant = super().save_form(request, form, change)
            return tenant
        super().save_form(request, form, change)  # gives the form its save_m2m; the row itself is made below
        new = register(form.cleaned_data["name"], form.cleaned_data["email"])
        secrets = {"Live key": new.api_key, "Test key": new.test_api_key, "Webhook signing secret": new.webhook_secret}
        self.message_user(request, told_once(secrets), messages.WARNING)
        return new.tenant

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)

    @admin.display(description="email")
    def masked_email(self, tenant: Tenant) -> str:
        return mask(tenant.email)

    @admin.display(description="state", ordering="is_active")
    def state(self, tenant: Tenant) -> SafeString:
        return pill("active" if tenant.is_active else "off")

    @admin.display(description="rows of this tenant")
    def rows(self, tenant: Tenant) -> SafeString:
        links = [(link_to_list(model, text, tenant=tenant.pk),) for text, model in LISTS.items()]
        return format_html_join(" · ", "{}", links)

    @admin.display(description="channel defaults")
    def shown_defaults(self, tenant: Tenant) -> SafeString:
        return pairs({channel: "on" if is_on else "off" for channel, is_on in tenant.channel_defaults.items()})
