"""Addresses of the console's pages, and what to post to them."""

from typing import Any

from django.contrib.admin import site
from django.db.models import Model
from django.test import Client
from django.urls import reverse

REGISTERED = sorted(site._registry, key=lambda model: model._meta.label)


def list_of(model: type[Model] | Model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def add_to(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def page_of(row: Model, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def act(client: Client, action: str, *rows: Model, **further: Any) -> Any:
    """As the button on a list does it. With `confirmed="yes"`, as the page that asks does it."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    index = {} if further.get("confirmed") else {"index": "0"}
    return client.post(list_of(rows[0]), {**chosen, **index, **further}, follow=True)


def form_of(response: Any) -> dict[str, Any]:
    """What a browser would send back if nothing were typed."""
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    filled = {form.add_prefix(name): form[name].value() for form in forms for name in form.fields}
    return {name: value for name, value in filled.items() if value not in (None, False)}


def messages_of(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])
