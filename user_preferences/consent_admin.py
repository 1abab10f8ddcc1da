"""The consent log in the console; and what operators choose for customers goes into it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tenants.admin_base import FactAdmin
from tenants.admin_display import pill
from tenants.admin_lists import AgeFilter, TenantFilter, by_id, first_found, of_each_tenant, one_of
from user_preferences import consent_log
from user_preferences.consent_log import Voice
from user_preferences.models import ConsentEntry, Customer, Preference

BY_OPERATOR = Voice(Preference.Source.OPERATOR)


def note(choices: Iterable[Preference], *, are_gone: bool = False) -> None:
    for choice in choices:
        is_on = None if are_gone else choice.is_enabled
        consent_log.note(choice.customer, {(choice.category, choice.channel): is_on}, BY_OPERATOR)


@admin.register(ConsentEntry)
class ConsentEntryAdmin(FactAdmin):
    list_display = ("at", "customer", "tenant", "about", "state", "source", "text_version")
    list_filter = (one_of("source", Preference.Source.values), AgeFilter, TenantFilter)
    list_select_related = ("tenant", "customer")
    linked = keyed = ("customer",)
    search_fields = ("customer__user_id",)
    search_help_text = "A whole user_id, or our id of a customer."
    fieldsets = (
        (None, {"fields": ("at", "customer", "about", "state", "quiet_hours")}),
        ("By what", {"fields": ("source", "actor_kind", "actor_id", "ip_hash", "text_version")}),
        ("Further", {"fields": ("id", "tenant")}),
    )

    def matches(self, request: HttpRequest, rows: QuerySet[ConsentEntry], term: str) -> QuerySet[ConsentEntry]:
        found = of_each_tenant(Customer.objects.filter(user_id=term)).values("pk")
        return first_found(by_id(rows, term, "customer_id"), rows.filter(customer__in=found))

    @admin.display(description="about")
    def about(self, entry: ConsentEntry) -> str:
        if entry.is_about_quiet_hours:
            return "quiet hours"
        return f"{entry.channel or 'every channel'}, {entry.category or 'every category'}"

    @admin.display(description="choice")
    def state(self, entry: ConsentEntry) -> SafeString:
        said: dict[Any, str] = {True: "on", False: "off", None: "default"}
        is_on = bool(entry.quiet_hours) or None if entry.is_about_quiet_hours else entry.is_enabled
        return pill(said[is_on])
