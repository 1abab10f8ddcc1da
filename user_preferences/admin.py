"""The console's pages for customers and what they chose."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from tenants.admin_base import BigTableAdmin, TenantForm, TenantScoped
from tenants.admin_display import json_block, link_to_list, pairs, pill
from tenants.admin_forms import show_problem
from tenants.admin_lists import TenantFilter, by_id, first_found, of_each_tenant, one_of
from tenants.masking import mask
from traffic_control.errors import Problem
from user_preferences import consent_admin, recipients
from user_preferences.models import Customer, Preference
from user_preferences.policy import CHANNELS, EVERY

ADDRESSES = tuple(recipients.ADDRESSES)
CHANNEL_CHOICES = [(EVERY, "every channel"), *((name, name.replace("_", "-")) for name in CHANNELS)]


def address_field(channel: str) -> forms.CharField:
    wide = forms.TextInput(attrs={"class": "vLargeTextField"})
    return forms.CharField(required=False, label=f"{channel.capitalize()} address", widget=wide)


class CustomerForm(TenantForm):
    """Judged by the same rules as the API, with one field for the address on each channel."""

    vars().update({name: address_field(name) for name in ADDRESSES})

    class Meta:
        model = Customer
        fields = ("tenant", "user_id", "name", "email", "phone", "locale", "timezone", "attributes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for channel in ADDRESSES:
            self.initial.setdefault(channel, self.instance.addresses.get(channel, ""))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["attributes"] = cleaned.get("attributes") or {}
        said = {name: cleaned[name] for name in recipients.CHECKS if name in cleaned}
        addresses = {name: cleaned[name] for name in ADDRESSES if name in cleaned}
        try:
            recipient = recipients.read({**said, "addresses": addresses}, needs_user_id=False)
        except Problem as problem:
            show_problem(self, problem)
            return cleaned
        kept = self.instance.addresses | dict(recipient.addresses or {})
        self.instance.addresses = {channel: address for channel, address in kept.items() if address}
        return cleaned | {name: getattr(recipient, name) for name in said}


class PreferenceForm(forms.ModelForm):
    channel = forms.ChoiceField(choices=CHANNEL_CHOICES, required=False)

    class Meta:
        model = Preference
        fields = ("customer", "category", "channel", "is_enabled")
        help_texts = {"category": "Empty: every category."}
        labels = {"is_enabled": "On"}

    def save(self, commit: bool = True) -> Preference:
        """The choice belongs to its customer's tenant, and says that an operator made it."""
        self.instance.tenant_id = self.instance.customer.tenant_id
        self.instance.source = Preference.Source.OPERATOR
        saved: Preference = super().save(commit)
        return saved


class PreferenceInline(TenantScoped, TabularInline):
    model = Preference
    form = PreferenceForm
    extra = 0
    readonly_fields = ("source", "updated_at")
    ordering = ("category", "channel")


@admin.register(Customer)
class CustomerAdmin(BigTableAdmin):
    form = CustomerForm
    list_display = ("user_id", "name", "tenant", "email", "shown_addresses", "locale", "timezone", "created_at")
    list_filter = (TenantFilter,)
    list_select_related = ("tenant",)
    search_fields = ("user_id",)
    search_help_text = "A whole user_id, or our id."
    autocomplete_fields = ("tenant",)
    inlines = (PreferenceInline,)
    masked = {
        "email": "masked_email",
        "phone": "masked_phone",
        "shown_addresses": "masked_addresses",
        **dict.fromkeys(ADDRESSES, "masked_addresses"),
    }
    seen_as = {**dict.fromkeys(ADDRESSES, "shown_addresses"), "attributes": "shown_attributes"}
    readonly_fields = ("id", "created_at", "updated_at", "history", "consent")
    fieldsets = (
        (None, {"fields": ("tenant", "user_id", "name", "locale", "timezone")}),
        ("Addresses", {"fields": ("email", "phone", *ADDRESSES)}),
        ("Further", {"fields": ("attributes", "history", "consent", "id", "created_at", "updated_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Events and ledger rows know the customer by user_id, so it stays."""
        return [*super().get_readonly_fields(request, obj), *(["user_id"] if obj else [])]

    def matches(self, request: HttpRequest, rows: QuerySet[Customer], term: str) -> QuerySet[Customer]:
        return first_found(by_id(rows, term), of_each_tenant(rows).filter(user_id=term))

    def page_links(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        if not request.user.has_perm("notification_processor.view_workflow"):
            return []
        return [(reverse("admin:notification_processor_workflow_reach", args=[row.pk]), "What reaches them")]

    @admin.display(description="email")
    def masked_email(self, customer: Customer) -> str:
        return mask(customer.email)

    @admin.display(description="phone")
    def masked_phone(self, customer: Customer) -> str:
        return mask(customer.phone)

    @admin.display(description="addresses")
    def shown_addresses(self, customer: Customer) -> SafeString:
        return pairs(customer.addresses)

    @admin.display(description="addresses")
    def masked_addresses(self, customer: Customer) -> SafeString:
        return pairs({channel: mask(str(address)) for channel, address in customer.addresses.items()})

    @admin.display(description="attributes")
    def shown_attributes(self, customer: Customer) -> SafeString:
        return json_block(customer.attributes)

    @admin.display(description="what was sent")
    def history(self, customer: Customer) -> SafeString:
        of = {"tenant": customer.tenant_id, "user_id": customer.user_id}
        return link_to_list("delivery_gateway_notificationlog", "Notifications", **of)

    @admin.display(description="what was agreed to")
    def consent(self, customer: Customer) -> SafeString:
        return link_to_list("user_preferences_consententry", "Consent log", customer=customer.pk)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        consent_admin.note([*formset.new_objects, *(choice for choice, _ in formset.changed_objects)])
        consent_admin.note(formset.deleted_objects, are_gone=True)


@admin.register(Preference)
class PreferenceAdmin(BigTableAdmin):
    """Whom, about what and where cannot change, or it would be another choice."""

    form = PreferenceForm
    list_display = ("customer", "tenant", "shown_category", "shown_channel", "state", "source", "updated_at")
    list_filter = (
        one_of("channel", CHANNELS),
        one_of("source", Preference.Source.values),
        TenantFilter,
    )
    list_select_related = ("tenant", "customer")
    search_fields = ("customer__user_id",)
    search_help_text = "A whole user_id."
    autocomplete_fields = ("customer",)
    readonly_fields = ("source", "updated_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        chosen = ("customer", "category", "channel", "is_enabled")
        return [(None, {"fields": self.shown(request, ("tenant", *chosen, *self.readonly_fields) if obj else chosen)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), *(["customer", "category", "channel"] if obj else [])]

    def matches(self, request: HttpRequest, rows: QuerySet[Preference], term: str) -> QuerySet[Preference]:
        found = of_each_tenant(Customer.objects.filter(user_id=term)).values("pk")
        return rows.filter(customer__in=found)

    def save_model(self, request: HttpRequest, obj: Preference, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        consent_admin.note([obj])

    def delete_model(self, request: HttpRequest, obj: Preference) -> None:
        super().delete_model(request, obj)
        consent_admin.note([obj], are_gone=True)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Preference]) -> None:
        gone = list(queryset.select_related("customer"))
        super().delete_queryset(request, queryset)
        consent_admin.note(gone, are_gone=True)

    @admin.display(description="category")
    def shown_category(self, preference: Preference) -> str:
        return preference.category or "every category"

    @admin.display(description="channel")
    def shown_channel(self, preference: Preference) -> str:
        return preference.channel or "every channel"

    @admin.display(description="choice")
    def state(self, preference: Preference) -> SafeString:
        return pill("on" if preference.is_enabled else "off")
