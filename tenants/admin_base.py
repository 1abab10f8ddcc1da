"""The console's ground: every list, page, choice, action and history starts from the tenant of whoever looks.

Superusers see all tenants. Staff with a membership see the rows of their tenant; staff without one see none.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from tenants.admin_forms import dressed
from tenants.admin_lists import TenantFilter
from tenants.admin_paging import KeyedChangeList, UncountedPaginator

LOOKUPS = frozenset({"", "exact", "isnull", "gte", "lt", "year", "month", "day"})


def tenant_id_of(request: HttpRequest) -> uuid.UUID | None:
    """The one tenant that a member of staff sees; None for superusers, and for staff who belong nowhere."""
    if request.user.is_superuser:
        return None
    membership = getattr(request.user, "membership", None)
    return membership.tenant_id if membership else None


def may_see_addresses(request: HttpRequest) -> bool:
    return request.user.has_perm("tenants.view_pii")


class TenantForm(forms.ModelForm):
    """Knows the tenant of a row before it is checked, so that "unique per tenant" is an error beside the field."""

    tenant_id: uuid.UUID | None = None  # of the member of staff who fills it in

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.tenant_id and self.instance._state.adding:
            self.instance.tenant_id = self.tenant_id
        dressed(self)

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded if "tenant" in self.fields else excluded - {"tenant"}


class TenantScoped:
    """For pages and inlines alike. `tenant_path` leads from a row to its tenant."""

    tenant_path = "tenant"
    admin_site: admin.AdminSite

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if request.user.is_superuser:
            return rows
        tenant_id = tenant_id_of(request)
        return rows.filter(**{self.tenant_path: tenant_id}) if tenant_id else rows.none()

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        """What may be chosen is what the other model's own page would list."""
        if self.admin_site.is_registered(db_field.related_model):
            kwargs.setdefault("queryset", self.admin_site.get_model_admin(db_field.related_model).get_queryset(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class TenantScopedAdmin(TenantScoped, ModelAdmin):
    """Rows of one tenant, described by what a page adds to the admin's own options:

    `masked`: per field with an address, the method that is shown to whoever may not see addresses;
    `seen_as`: per field of the form that the row has not, the method that is shown to whoever may only look;
    `linked`: fields that other pages filter this list by;
    `page_actions`: actions that get a button on the row's own page.
    """

    form: type[forms.ModelForm] = TenantForm
    masked: dict[str, str] = {}
    seen_as: dict[str, str] = {}
    linked: tuple[str, ...] = ()
    page_actions: tuple[str, ...] = ()
    change_form_template = "admin/page_with_actions.html"
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    save_on_top = True
    list_per_page = 50
    view_on_site = False

    # --- Who sees which fields ---
    def shown(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        """The fields as this person may see them: addresses masked, and no tenant where there is only one."""
        kept = self._without_tenant(request, names)
        return kept if may_see_addresses(request) else list(dict.fromkeys(self.masked.get(name, name) for name in kept))

    @staticmethod
    def _without_tenant(request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        return [name for name in names if request.user.is_superuser or name not in ("tenant", TenantFilter)]

    def seen(self, request: HttpRequest, obj: Model | None, names: Iterable[Any]) -> list[Any]:
        """As `shown`, on the row's own page. In a row that is still to be made there is nothing to hide."""
        if obj is None:
            return self._without_tenant(request, names)
        may_write = self.has_change_permission(request, obj)
        return self.shown(
            request, names if may_write else dict.fromkeys(self.seen_as.get(name, name) for name in names)
        )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self.shown(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return self.shown(request, super().get_list_filter(request))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        sets = super().get_fieldsets(request, obj)
        return [(title, {**options, "fields": self.seen(request, obj, options["fields"])}) for title, options in sets]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Nobody moves a row to another tenant, or overwrites an address without having seen it."""
        unseen = self.masked if obj and not may_see_addresses(request) else {}
        fixed = ["tenant"] if obj else []
        return [
            *super().get_readonly_fields(request, obj),
            *fixed,
            *unseen,
            *self.masked.values(),
            *self.seen_as.values(),
        ]

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.tenant_id = tenant_id_of(request)
        return form

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter or a link offers: with any other, masked addresses and hashes could be guessed."""
        name, _, how = lookup.partition("__")
        return name in self._filter_names(request) and how in LOOKUPS

    def _filter_names(self, request: HttpRequest | None) -> set[str]:
        offered = self.get_list_filter(request) if request else self.list_filter
        names = {one if isinstance(one, str) else getattr(one, "parameter_name", "") for one in offered}
        return {"tenant", *names, *self.linked, *([self.date_hierarchy] if self.date_hierarchy else [])}

    # --- Acting ---
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        titled = {"title": capfirst(str(self.opts.verbose_name_plural)), **(extra_context or {})}
        page: HttpResponse = super().changelist_view(request, titled)
        return page

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Whoever only looks has one look at the row."""
        if request.method != "GET" or from_field:
            return super().get_object(request, object_id, from_field)
        known: dict[tuple[Any, str], Any] = request.__dict__.setdefault("_rows_of_pages", {})
        if (self.model, object_id) not in known:
            known[self.model, object_id] = super().get_object(request, object_id)
        return known[self.model, object_id]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        titles = {name: found[2] for name, found in self.get_actions(request).items() if found}
        offered = [name for name in self.page_actions if name in titles and row and self.offers(name, row)]
        buttons = [(name, titles[name]) for name in offered]
        links = self.page_links(request, row) if row else []
        told = {"page_actions": buttons, "page_links": links, **(extra_context or {})}
        page: HttpResponse = super().change_view(request, object_id, form_url, told)
        return page

    def offers(self, action: str, row: Any) -> bool:
        """Whether the row's page shows the button for this action of `page_actions`."""
        return True

    def page_links(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        """Pages of their own that a row's page leads to from its top: address and title."""
        return []

    def log_each(self, request: HttpRequest, rows: Iterable[Model], message: str) -> None:
        """What an action did, into the history of every row that it did it to."""
        changed = list(rows)
        if changed:
            LogEntry.objects.log_actions(request.user.pk, changed, CHANGE, change_message=message)  # type: ignore[arg-type]


class BigTableAdmin(TenantScopedAdmin):
    """Tables that are never counted: newest first along the primary key, page by page, searched by whole values.

    `matches` says what a search term may be equal to; an indexed column each, or the page would read the whole table.
    `keyed`: filters that find few rows by an index of their own.
    """

    keyed: tuple[str, ...] = ()
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 100
    change_list_template = "admin/uncounted_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyedChangeList]:
        return KeyedChangeList

    def is_looked_through(self, request: HttpRequest, asked: Mapping[str, str], term: str) -> bool:
        """Whether no index knows the rows that these filters and this search term mean."""
        names = {name.partition("__")[0] for name in asked}
        return not (term or names & set(self.keyed) or names <= {"tenant", "age"})

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any) -> Any:
        if getattr(queryset, "model", None) is self.model:
            return UncountedPaginator(queryset, per_page)
        return super().get_paginator(request, queryset, per_page, *args, **kwargs)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        return (self.matches(request, queryset, term) if term else queryset), False

    def matches(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        raise NotImplementedError


class ReadOnly:
    """Facts are looked at. Nobody adds, changes or deletes them here, superusers included."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class FactAdmin(ReadOnly, BigTableAdmin):
    """A big table of facts."""

    save_on_top = False
