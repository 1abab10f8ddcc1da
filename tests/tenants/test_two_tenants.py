"""Two tenants, every call, every id of the other: nothing is found, nothing is told, nothing changes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from django.apps import apps
from django.db.models import Model
from django.utils import timezone
from rest_framework.test import APIClient

from event_intake.models import Order
from inbox.issuing import token_for
from tenants.models import InboxSecret
from tests.admin.world import World, build
from tests.conftest import client_with
from traffic_control.ids import uuid7
from traffic_control.pagination import write_cursor
from user_preferences.models import Erasure

PATHS = yaml.safe_load((Path(__file__).resolve().parents[2] / "openapi.yaml").read_text())["paths"]
PER_TENANT = {"user_id"}  # a name that each tenant gives for itself: theirs is a new one here
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/customers/{customer}/": {"name": "stolen"},
    "/api/v1/orders/{order}/status/": {"status": "confirmed"},
    "/v1/integrations/{integration_id}/": {"name": "stolen"},
    "/v1/templates/{template_id}/": {"body": "stolen"},
    "/v1/templates/{template_id}/preview/": {"data": {}},
    "/v1/templates/{template_id}/restore/": {"version": 1},
    "/v1/workflows/{workflow_id}/": {"category": "stolen", "event_type": "a", "channels": ["email"]},
    "/v1/inbox/notifications/{item_id}/": {"read": True},
}


@pytest.fixture
def theirs(db: None) -> World:
    return build("globex")


@pytest.fixture
def ours(db: None) -> World:
    return build("acme")


@pytest.fixture
def api(ours: World) -> APIClient:
    return client_with(ours.registration.api_key)


@pytest.fixture
def page(ours: World) -> APIClient:
    """As the page of one of our users asks for their inbox."""
    client = APIClient(headers={"Authorization": f"Bearer {token_for(ours.tenant, 'acme-user', seconds=600)['token']}"})
    client.default_format = "json"
    return client


def ids_of(world: World) -> dict[str, list[str]]:
    """By the parameter of a path or a query that takes them."""
    bought = {"items": [], "currency": "EUR", "total": "1.00", "last_event_id": uuid7(), "customer": world.customer}
    order = Order.objects.create(tenant=world.tenant, order_number=f"{world.tenant.name}-1", **bought)
    erasure = Erasure.objects.create(tenant=world.tenant, requested_at=timezone.now(), next_at=timezone.now())
    token_for(world.tenant, world.customer.user_id, seconds=600)
    rows: dict[str, list[Any]] = {
        "customer": [world.customer.pk, world.customer.user_id],
        "user_id": [world.customer.user_id, world.customer.pk],
        "event_id": [world.event.pk],
        "notification_id": [world.notification.pk],
        "order": [order.pk, order.order_number],
        "key_id": [world.key.pk],
        "letter_id": [world.letter.pk],
        "job_id": [world.job.pk],
        "integration_id": [world.integration.pk],
        "template_id": [world.template.pk],
        "workflow_id": [world.workflow.pk],
        "erasure_id": [erasure.pk],
        "item_id": [world.inbox_item.pk],
        "kid": [*InboxSecret.objects.filter(tenant=world.tenant).values_list("kid", flat=True)],
        "event_type": [world.event.event_type],
        "template": [world.template.name],
        "name": [world.template.name],
        "to": ["test@globex.test", "person@globex.test"],
        "object": [world.integration.pk, world.tenant.pk],
        "actor": [world.key.pk, world.key.public_id],
        "workflow": [world.workflow.event_type],
        "code": [world.letter.code],
    }
    return {name: [str(one) for one in values] for name, values in rows.items()}


def calls_by_id() -> list[tuple[str, str]]:
    """Method and path of each call with an id in its path."""
    return [
        (method, path) for path, named in PATHS.items() for method in named if "{" in path and "{token}" not in path
    ]


def lists() -> list[str]:
    return [path for path, named in PATHS.items() if "get" in named and "cursor" in queries(path)]


def queries(path: str) -> set[str]:
    about = PATHS[path].get("get", {}).get("parameters", [])
    return {one["name"] for one in about if one.get("in") == "query"}


def everything_of(world: World) -> dict[str, list[Any]]:
    """Every row of every table that is the tenant's."""
    models = [
        model for model in apps.get_models() if any(f.attname == "tenant_id" for f in model._meta.concrete_fields)
    ]
    return {model._meta.label: [*rows_of(model, world).order_by("pk").values()] for model in models}


def rows_of(model: type[Model], world: World) -> Any:
    return model._base_manager.filter(tenant_id=world.tenant.pk)


def client_for(path: str, api: APIClient, page: APIClient) -> APIClient:
    return page if path.startswith("/v1/inbox/") else api


def test_an_id_of_another_tenant_is_not_found(ours: World, theirs: World, api: APIClient, page: APIClient) -> None:
    ids, before = ids_of(theirs), everything_of(theirs)
    found = {}
    for method, path in calls_by_id():
        parameter = path.partition("{")[2].partition("}")[0]
        for one in ids[parameter]:
            at = path.replace(f"{{{parameter}}}", one).replace("{action}", "primary")
            answer = getattr(client_for(path, api, page), method)(at, BODIES.get(path, {}))
            text = answer.content.decode().replace(one, "")
            is_theirs = "globex" in text.lower()
            if is_theirs or (answer.status_code != 404 and parameter not in PER_TENANT):
                found[f"{method} {at}"] = answer.status_code, text[:300]

    assert found == {}
    assert everything_of(theirs) == before


def test_no_filter_finds_rows_of_another_tenant(ours: World, theirs: World, api: APIClient, page: APIClient) -> None:
    ids, found = ids_of(theirs), {}
    for path in lists():
        for name in {"", *(queries(path) & ids.keys())}:
            for one in ids.get(name, [""]):
                own = path.format(template_id=ours.template.pk)
                answer = client_for(path, api, page).get(own, {name: one} if name else {})
                if answer.status_code >= 500 or "globex" in str(answer.json().get("data", "")).lower():
                    found[f"{path}?{name}={one}"] = answer.status_code

    assert found == {}


def test_a_cursor_of_another_tenant_or_list_is_none(
    ours: World, theirs: World, api: APIClient, page: APIClient
) -> None:
    taken = {}
    for path in lists():
        own = path.format(template_id=ours.template.pk)
        for tenant, at in ((theirs.tenant, own), (ours.tenant, "/v1/elsewhere/")):
            cursor = write_cursor(cast(Any, SimpleNamespace(tenant=tenant, path=at)), theirs.event)
            answer = client_for(path, api, page).get(own, {"cursor": cursor})
            if (answer.status_code, answer.json().get("code")) != (400, "invalid_cursor"):
                taken[f"{path} {at}"] = answer.status_code

    assert taken == {}


def bulk(theirs: World) -> dict[str, tuple[str, dict[str, Any]]]:
    """Bodies that name somebody or something of the other tenant."""
    customer, words = str(theirs.customer.pk), {"subject": "S", "body": "B"}
    item = {"sku": "tea", "name": "Tea", "quantity": 1, "unit_price": "1.00"}
    order = {"customer_id": customer, "order_number": "1", "items": [item], "currency": "EUR"}
    send = {"channel": "email", "user_id": customer} | words
    return {
        "a customer": ("/v1/notify/", send),
        "a customer in a batch": ("/v1/notify/batch/", {"notifications": [send, send]}),
        "a customer by the second name": (
            "/api/v1/notifications/send/",
            {"customer_id": customer, "channels": ["email"], "message": "B"},
        ),
        "a customer of an event": ("/api/events/", {"event_type": "a", "user_id": customer}),
        "customers of an event": ("/api/events/", {"event_type": "a", "recipients": [customer, "globex-user"]}),
        "events in a batch": ("/api/events/batch/", {"events": [{"event_type": "a", "user_id": customer}]}),
        "a customer of an order": ("/api/v1/orders/", order),
        "customers in a batch": ("/api/v1/customers/batch/", {"customers": [{"user_id": customer, "name": "x"}]}),
        "a template": ("/v1/notify/", {"channel": "email", "to": "a@example.com", "template": theirs.template.name}),
        "a template of a workflow": (
            "/v1/workflows/",
            {"event_type": "b", "channels": ["email"], "template": theirs.template.name},
        ),
        "dead letters": ("/v1/dead-letters/replay/", {"ids": [str(theirs.letter.pk)]}),
        "all dead letters": ("/v1/dead-letters/replay/", {}),
        "a person to be shown": ("/v1/people/export/", {"address": theirs.customer.email}),
        "a person by id": ("/v1/people/export/", {"user_id": customer}),
        "a person to be erased": ("/v1/people/erase/", {"address": theirs.customer.email, "user_id": "globex-user"}),
        "items of an inbox": ("/v1/inbox/notifications/mark/", {"ids": [str(theirs.inbox_item.pk)], "read": True}),
    }


def test_a_body_that_names_things_of_another_tenant_reaches_none(
    ours: World, theirs: World, api: APIClient, page: APIClient
) -> None:
    before, told = everything_of(theirs), {}
    for what, (path, body) in bulk(theirs).items():
        answer = client_for(path, api, page).post(path, body)
        text = answer.content.decode().lower()
        if answer.status_code >= 500 or "person@globex" in text or "dear" in text:
            told[what] = answer.status_code, text[:300]
    api.delete("/v1/sandbox/messages/")

    assert told == {}
    assert everything_of(theirs) == before
    addresses = [row["to"] for row in everything_of(ours)["delivery_gateway.NotificationLog"]]
    assert [address for address in addresses if "globex" in address] == []


def test_every_id_is_asked_for(ours: World) -> None:
    parameters = {path.partition("{")[2].partition("}")[0] for _, path in calls_by_id()}

    assert parameters <= ids_of(ours).keys()
    assert len(calls_by_id()) >= 30
    assert len(lists()) >= 10
