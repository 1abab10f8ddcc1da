"""Staff of one tenant, every way the console has to name a row: none leads to another tenant's."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.db.models import ForeignKey, Model
from django.test import Client
from django.urls import reverse

from tests.admin.pages import act, list_of, page_of
from tests.admin.test_tenancy import OF_A_TENANT
from tests.admin.world import World


def everything_of(world: World) -> dict[str, list[Any]]:
    """Every row of every table that is the tenant's."""
    models = [
        model for model in apps.get_models() if any(f.attname == "tenant_id" for f in model._meta.concrete_fields)
    ]
    rows = {model: model._base_manager.filter(tenant_id=world.tenant.pk).order_by("pk") for model in models}
    return {model._meta.label: [*found.values()] for model, found in rows.items()}


def shown(client: Client, model: type[Model], query: dict[str, str]) -> set[Any]:
    response = client.get(list_of(model), query)
    return {row.pk for row in response.context["cl"].result_list} if response.status_code == 200 else set()


@pytest.mark.parametrize("model", OF_A_TENANT, ids=lambda model: model.__name__)
def test_no_search_filter_or_order_finds_a_foreign_row(
    model: Any, operator: Client, acme_world: World, globex_world: World
) -> None:
    foreign = {row.pk for row in globex_world.rows if isinstance(row, model)}
    values = [value for row in globex_world.rows if isinstance(row, model) for value in vars(row).values()]
    queries = [{"q": str(value)} for value in values if isinstance(value, str) and value]
    queries += [{"q": word} for word in ("globex", "person@globex.test", str(globex_world.notification.pk))]
    fields = [field.name for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    for name in ("tenant", *fields):
        queries += [{f"{name}__{how}": str(globex_world.tenant.pk)} for how in ("id__exact", "pk", "in", "isnull")]
    queries += [{"tenant__name": "Globex"}, {"tenant__slug__startswith": "g"}, {"tenant": str(globex_world.tenant.pk)}]
    queries += [{"all": ""}, {"o": "-1"}, {"p": "2"}, {"pk__in": ",".join(map(str, foreign))}]

    found = [query for query in queries if shown(operator, model, query) & foreign]

    assert foreign
    assert found == []


@pytest.mark.parametrize("model", OF_A_TENANT, ids=lambda model: model.__name__)
def test_no_action_touches_a_foreign_row(model: Any, operator: Client, acme_world: World, globex_world: World) -> None:
    rows, before = [row for row in globex_world.rows if isinstance(row, model)], everything_of(globex_world)
    actions = [name for name in site._registry[model].actions or () if isinstance(name, str)]
    for action in (*actions, "delete_selected"):
        for further in ({}, {"confirmed": "yes"}, {"post": "yes"}, {"confirmed": "yes", "select_across": "1"}):
            act(operator, action, *rows, **further)

    assert everything_of(globex_world) == before


@pytest.mark.parametrize("name", ["change", "delete", "history"])
def test_nothing_posted_to_a_foreign_page_changes_it(
    name: str, operator: Client, acme_world: World, globex_world: World
) -> None:
    before, statuses = everything_of(globex_world), {}
    for row in globex_world.rows:
        own = next(one for one in acme_world.rows if type(one) is type(row))
        form = {"post": "yes", "_save": "Save", "name": "stolen", "is_active": "", "tenant": str(acme_world.tenant.pk)}
        for at in (page_of(row, name), page_of(row, name) + "?_popup=1", page_of(own, name) + f"?id={row.pk}"):
            statuses[at] = operator.post(at, form if at.startswith(page_of(row, name)) else {}).status_code

    assert everything_of(globex_world) == before
    assert max(statuses.values()) < 500


def test_no_choice_of_a_form_offers_a_foreign_row(operator: Client, acme_world: World, globex_world: World) -> None:
    offered = {}
    for model in OF_A_TENANT:
        for field in (one for one in model._meta.concrete_fields if isinstance(one, ForeignKey)):
            named = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            asked = {name: str(value) for name, value in named.items()}
            for term in ("", "globex", "person", str(globex_world.customer.pk)):
                answer = operator.get(reverse("admin:autocomplete"), {**asked, "term": term})
                if answer.status_code == 200 and "globex" in answer.content.decode().lower():
                    offered[f"{model.__name__}.{field.name}"] = term

    assert offered == {}
