"""The form of an integration: one field for each setting of its provider, built from the provider's own table."""

from collections.abc import Mapping
from typing import Any

from django import forms

from tenants import integration_config, integrations
from tenants.admin_base import TenantForm
from tenants.admin_forms import OnOffField, SecretField, show_problem
from tenants.models import Integration
from tenants.providers import Field, Kind, Provider
from traffic_control.errors import Problem

FORGET = "forget_"


class IntegrationForm(TenantForm):
    """`provider` is set by `form_for`. After cleaning, `values` holds every value as it shall be stored."""

    provider: Provider
    values: dict[str, Any]

    class Meta:
        model = Integration
        fields = ("tenant", "name", "is_default", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.provider.fields:
            if not field.is_secret:
                self.initial.setdefault(field.name, self.instance.config.get(field.name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        stored = {} if self.instance._state.adding else integrations.stored_values(self.instance)
        said = {field.name: self._said(field, cleaned) for field in self.provider.fields if field.name in cleaned}
        try:
            self.values = integration_config.read(self.provider, without_kept(said), stored=stored)
        except Problem as problem:
            show_problem(self, problem)
        return cleaned

    def validate_constraints(self) -> None:
        """Becoming the default makes room for itself, so there is no conflict to complain of."""

    @staticmethod
    def _said(field: Field, cleaned: Mapping[str, Any]) -> Any:
        value = cleaned[field.name]
        if value not in ("", None):
            return value
        is_kept = field.is_secret and not cleaned.get(FORGET + field.name)
        return ... if is_kept else None


def without_kept(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not ...}


def form_for(provider: Provider, row: Integration | None) -> type[IntegrationForm]:
    hints = row.secret_hints if row else {}
    made: dict[str, Any] = {field.name: form_field(field, hints.get(field.name, "")) for field in provider.fields}
    for field in forgettable(provider, row):
        made[FORGET + field.name] = forms.BooleanField(required=False, label=f"Forget the {words(field.name)}")
    return type("IntegrationForm", (IntegrationForm,), {"provider": provider, **made})


def form_field(field: Field, hint: str) -> forms.Field:
    label = words(field.name)
    options: dict[str, Any] = {"required": field.is_required and not hint, "label": label[0].upper() + label[1:]}
    if field.is_secret:
        return SecretField(hint=hint, has_lines=field.kind == Kind.HEADERS, **options)
    if field.kind == Kind.FLAG:
        return OnOffField(undecided="Default", label=options["label"])
    if field.kind == Kind.PORT:
        return forms.IntegerField(min_value=1, max_value=65_535, **options)
    return forms.CharField(widget=forms.TextInput(attrs={"class": "vTextField"}), **options)


def forgettable(provider: Provider, row: Integration | None) -> list[Field]:
    hints = row.secret_hints if row else {}
    return [field for field in provider.fields if field.is_secret and not field.is_required and field.name in hints]


def fields_of(provider: Provider, row: Integration | None) -> list[str]:
    """The names of the form's fields: the settings in order, then a box for each secret that may be forgotten."""
    return [field.name for field in provider.fields] + [FORGET + field.name for field in forgettable(provider, row)]


def words(name: str) -> str:
    for short, long in {"url": "URL", "tls": "TLS", "ssl": "SSL"}.items():
        name = name.replace(short, long)
    return name.replace("_", " ")
