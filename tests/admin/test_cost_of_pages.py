"""What a page of the console asks of the database: a dozen queries, and of big tables only what an index answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delivery_gateway.models import NotificationLog
from tests.admin.pages import REGISTERED, add_to, list_of, page_of
from tests.admin.test_pages import WITH_ADD_PAGE
from tests.admin.test_paging import BIG
from tests.admin.world import World

MOST = 12
TRIAGE = reverse("admin:delivery_gateway_deadletter_triage")
EXPLAIN = reverse("admin:notification_processor_event_explain")
SMALL = {"tenants_tenant", "django_session", "auth_user", "tenants_membership", "django_content_type"}
FILTERS = ({"status": "failed"}, {"channel": "slack", "mode": "live"}, {"age": "day"})


def addresses(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """Every page there is, and how people look for something."""
    yield reverse("admin:index"), {}
    yield TRIAGE, {}
    yield EXPLAIN, {"event_id": str(world.event.pk), "user_id": world.customer.user_id}
    yield EXPLAIN, {"user_id": world.customer.user_id}
    for model in REGISTERED:
        yield list_of(model), {}
        yield list_of(model), {"q": str(world.notification.pk)}
    for query in (*FILTERS, {"q": world.customer.user_id}, {"q": world.customer.email}):
        yield list_of(NotificationLog), query
    for model in WITH_ADD_PAGE:
        yield add_to(model), {}
    for row in world.rows:
        yield page_of(row), {}
        yield page_of(row, "history"), {}


@pytest.mark.parametrize("who", ["superuser", "operator"])
def test_page_takes_a_dozen_queries_at_most(who: str, acme_world: World, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(who)
    costs = {}
    for path, query in addresses(acme_world):
        with CaptureQueriesContext(connection) as queries:
            client.get(path, query)
        costs[path, str(query)] = len(queries)

    assert {page: cost for page, cost in costs.items() if cost > MOST} == {}


def test_asking_how_many_takes_a_dozen_queries_at_most(superuser: Client, acme_world: World) -> None:
    cause = {"tenant": str(acme_world.tenant.pk), "channel": "email", "code": acme_world.letter.code}

    with CaptureQueriesContext(connection) as queries:
        superuser.post(TRIAGE, {"step": "ask", **cause})

    assert len(queries) <= MOST


@pytest.mark.skipif(connection.vendor != "postgresql", reason="these are PostgreSQL's plans")
@pytest.mark.parametrize("model", BIG, ids=lambda model: model.__name__)
def test_list_is_read_along_an_index(model: Any, superuser: Client, acme_world: World) -> None:
    """However small the table is here: sequential scans are what the planner would rather not do."""
    key, user = str(acme_world.notification.pk), acme_world.customer.user_id
    asked: list[dict[str, str]] = [
        {},
        {"age": "day"},
        {"tenant": str(acme_world.tenant.pk)},
        {"before": key},
        {"q": user},
    ]
    with CaptureQueriesContext(connection) as queries:
        for query in (*asked, {"q": key}):
            superuser.get(list_of(model), query)

    asked_for = selects(queries)
    scans = {sql: found for sql in asked_for if (found := scanned(sql))}

    assert sum(f'FROM "{model._meta.db_table}"' in sql for sql in asked_for) >= len(asked)
    assert scans == {}


def selects(queries: Any) -> list[str]:
    """Without the scope that each statement carries in front."""
    statements = [query["sql"] for query in queries]
    bare = [sql.partition(";")[2] if sql.startswith("SELECT set_config(") else sql for sql in statements]
    return [sql for sql in bare if sql.startswith("SELECT")]


def scanned(sql: str) -> set[str]:
    """Big tables that would be read from end to end."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return {
        node["Relation Name"]
        for node in nodes((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in SMALL
    }


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
