from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from tenants import keys
from tenants.admin_actions import confirmation, is_confirmed
from tenants.admin_base import TenantForm, TenantScopedAdmin, may_see_addresses
from tenants.admin_display import pill, told_once
from tenants.admin_lists import TenantFilter, is_set, one_of
from tenants.models import ApiKey, Tenant
from tenants.scopes import LEAST, SCOPES, in_order
from tenants.services import change_scopes, refuse_last_admin_key, revoke
from traffic_control.errors import Problem


class ApiKeyForm(TenantForm):
    scopes = forms.MultipleChoiceField(
        choices=[(name, f"{name} – {meaning}") for name, meaning in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=LEAST,
    )

    sees_addresses = False  # whoever fills it in

    class Meta:
        model = ApiKey
        fields = ("tenant", "name", "mode", "scopes", "expires_at")

    def clean_scopes(self) -> list[str]:
        """Nobody gives away a sight that they have not."""
        wanted = in_order(self.cleaned_data["scopes"])
        if "pii" in wanted and "pii" not in self.instance.scopes and not self.sees_addresses:
            raise forms.ValidationError("You do not see addresses in full, so you cannot let a key see them.")
        if "admin" in self.instance.scopes and "admin" not in wanted:
            try:
                refuse_last_admin_key(self.instance)
            except Problem as problem:
                raise forms.ValidationError(str(problem.detail)) from problem
        return wanted

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise forms.ValidationError("That is in the past: the key would never work.")
        return moment


@admin.register(ApiKey)
class ApiKeyAdmin(TenantScopedAdmin):
    """Keys are made, renamed, revoked, and may do less or more than before. The key itself is shown once."""

    form = ApiKeyForm
    list_display = ("__str__", "name", "tenant", "shown_mode", "shown_scopes", "state", "last_used_at", "created_at")
    list_filter = (
        one_of("mode", ApiKey.Mode.values),
        is_set("revoked_at", title="state", no="not revoked", yes="revoked"),
        TenantFilter,
    )
    list_select_related = ("tenant",)
    search_fields = ("public_id__exact", "name__istartswith")
    search_help_text = "The part between the underscores, or how the name begins."
    ordering = ("-id",)
    actions = ("revoke",)
    page_actions = ("revoke",)
    seen_as = {"scopes": "shown_scopes"}
    facts = ("shown_mode", "state", "expires_at", "last_used_at", "revoked_at", "created_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = (
            ("tenant", "name", "scopes", *self.facts) if obj else ("tenant", "name", "mode", "scopes", "expires_at")
        )
        return [(None, {"fields": self.seen(request, obj, fields)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), *(("mode", *self.facts) if obj else ())]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.sees_addresses = may_see_addresses(request)
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.revoked_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        """A new key is told this once and stored as a hash. Other scopes than before are noted by the service."""
        described: ApiKey = super().save_form(request, form, change)
        if change:
            if change_scopes(described, form.cleaned_data["scopes"]):
                self.message_user(request, "Its scopes count within five seconds everywhere.", messages.INFO)
            return described
        key, raw = keys.issue(
            Tenant.objects.get(pk=described.tenant_id),
            described.mode,
            name=described.name,
            scopes=form.cleaned_data["scopes"],
            expires_at=described.expires_at,
        )
        self.message_user(request, told_once({"API key": raw}), messages.WARNING)
        return key

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)

    def offers(self, action: str, row: Any) -> bool:
        return row.revoked_at is None

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> HttpResponse | None:
        usable = list(chosen.filter(revoked_at=None).select_related("tenant"))
        if usable and not is_confirmed(request):
            question = "Revoke these keys? Whoever uses them is refused within five seconds, for good."
            return confirmation(self, request, usable, action="revoke", question=question)
        revoked = [key for key in usable if self._revoked(request, key)]
        self.log_each(request, revoked, "Revoked.")
        level = messages.SUCCESS if revoked else messages.WARNING
        self.message_user(request, f"{len(revoked)} of {chosen.count()} keys revoked.", level)
        return None

    def _revoked(self, request: HttpRequest, key: ApiKey) -> bool:
        try:
            revoke(key)
        except Problem as problem:
            self.message_user(request, f"{key}: {problem.detail}", messages.ERROR)
            return False
        return True

    @admin.display(description="mode", ordering="mode")
    def shown_mode(self, key: ApiKey) -> SafeString:
        return pill(key.mode)

    @admin.display(description="scopes")
    def shown_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "none"

    @admin.display(description="state")
    def state(self, key: ApiKey) -> SafeString:
        if key.revoked_at:
            return pill("revoked")
        return pill("expired" if key.expires_at and key.expires_at <= timezone.now() else "active")
