"""Which tables hold what belongs to tenants, and how a row says whose it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Owned:
    """`column` has the tenant's id; with `through`, in the row that this foreign key leads to."""

    model: type[models.Model]
    column: str
    through: "models.ForeignKey[Any, Any] | None" = None

    @property
    def table(self) -> str:
        return self.model._meta.db_table


@cache
def owned() -> tuple[Owned, ...]:
    """All of them. Raises ImproperlyConfigured for a model of ours that does not say whose its rows are."""
    return tuple(owner_of(model) for model in _ours())


@cache
def owner_of(model: type[models.Model]) -> Owned:
    """A row has a tenant, is one, or is part of a row that has: then its model says `part_of = "notification"`."""
    if issubclass(model, Tenant):
        return Owned(model, "id")
    columns = {field.attname: field for field in model._meta.concrete_fields}
    if "tenant_id" in columns:
        return Owned(model, str(columns["tenant_id"].column))
    if through := getattr(model, "part_of", ""):
        field: Any = model._meta.get_field(through)
        return Owned(model, owner_of(field.related_model).column, field)
    raise ImproperlyConfigured(f"{model._meta.label} has no tenant. Add one, or say what it is part of: part_of.")


def _ours() -> Iterator[type[models.Model]]:
    """Of every app that is not somebody else's package."""
    for app in apps.get_app_configs():
        if "site-packages" not in app.path:
            yield from app.get_models(include_auto_created=True)
