"""Filters and searches of big lists: what costs an index look-up."""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from tenants.models import Tenant
from traffic_control.ids import uuid7_at

TENANTS_SHOWN = 100


class TenantFilter(SimpleListFilter):
    """For superusers. A tenant that is not among the first ones is reached from its own page."""

    title = parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        self.path = getattr(model_admin, "tenant_path", "tenant")
        tenants = Tenant.objects.order_by("name").values_list("id", "name")[:TENANTS_SHOWN]
        return [(str(key), name) for key, name in tenants]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        tenant_id = as_uuid(self.value() or "")
        return queryset.filter(**{self.path: tenant_id}) if tenant_id else queryset.none()


class AgeFilter(SimpleListFilter):
    """By the time that is in the id, so that the primary key answers it."""

    title, parameter_name = "age", "age"
    AGES = {"hour": 1, "day": 24, "week": 24 * 7, "month": 24 * 30}

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("hour", "Past hour"), ("day", "Past 24 hours"), ("week", "Past 7 days"), ("month", "Past 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        hours = self.AGES.get(self.value() or "")
        return queryset.filter(id__gte=uuid7_at(timezone.now() - timedelta(hours=hours))) if hours else queryset


def one_of(field: str, values: Iterable[str], *, title: str = "") -> type[SimpleListFilter]:
    """A filter over values that are known without asking the table which ones it holds."""
    choices = [(value, value.replace("_", " ")) for value in values]

    class OneOf(SimpleListFilter):
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
            return choices

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    OneOf.title = title or field.replace("_", " ")
    return OneOf


def is_set(field: str, *, title: str, yes: str, no: str) -> type[SimpleListFilter]:
    """A filter over whether a time (of revoking, replaying, pausing) was noted."""

    class IsSet(SimpleListFilter):
        parameter_name = f"{field}_is_set"

        def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
            return [("no", no), ("yes", yes)]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if self.value() not in ("yes", "no"):
                return queryset
            return queryset.filter(**{f"{field}__isnull": self.value() == "no"})

    IsSet.title = title
    return IsSet


def as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def of_each_tenant(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same rows. Indexes lead with the tenant: naming every tenant lets a search across all of them use one."""
    return rows.filter(tenant_id__in=Tenant.objects.values("id"))


def by_id(rows: QuerySet[Any], term: str, field: str = "pk") -> QuerySet[Any]:
    """Nothing when the term is no id."""
    key = as_uuid(term)
    return rows.filter(**{field: key}) if key else rows.none()


def first_found(*searches: QuerySet[Any]) -> QuerySet[Any]:
    """The first that finds something, else the last: each can use an index of its own, their union could not."""
    return next((rows for rows in searches if rows.exists()), searches[-1])
