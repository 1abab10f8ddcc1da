"""Big lists go from page to page by key, down to the oldest row and back."""

from typing import Any

import pytest
from django.contrib.admin import site
from django.core.paginator import EmptyPage, InvalidPage
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from delivery_gateway.models import NotificationLog
from tenants import admin_paging
from tenants.admin_base import BigTableAdmin
from tenants.admin_paging import DEEPEST_PAGE, UncountedPaginator
from tests.admin.pages import REGISTERED, list_of
from tests.admin.world import World, build, notification

BIG = [model for model in REGISTERED if isinstance(site.get_model_admin(model), BigTableAdmin)]


@pytest.fixture
def one_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BigTableAdmin, "list_per_page", 1)


def turned(client: Client, model: type[Model], direction: str, **query: str) -> list[Any]:
    """The pages from there on, by the links that they show."""
    pages = []
    while True:
        response = client.get(list_of(model), query)
        pages.append(response.context["cl"].page)
        if (key := getattr(pages[-1], direction)) is None:
            return pages
        query = {name: said for name, said in query.items() if name not in ("before", "after")}
        query["before" if direction == "older" else "after"] = str(key)
        assert f"{list(query)[-1]}={key}" in response.content.decode()


@pytest.mark.usefixtures("one_a_page")
@pytest.mark.parametrize("model", BIG, ids=lambda model: model.__name__)
def test_list_goes_down_and_up_by_key(model: Any, superuser: Client, acme_world: World, globex_world: World) -> None:
    build("initech")
    keys = list(model.objects.order_by("-pk").values_list("pk", flat=True))

    with CaptureQueriesContext(connection) as queries:
        down = turned(superuser, model, "older")
        up = turned(superuser, model, "newer", before=str(keys[-2]))

    assert [[row.pk for row in page.rows] for page in down] == [[key] for key in keys]
    assert [[row.pk for row in page.rows] for page in up] == [[key] for key in reversed(keys)]
    assert [query["sql"] for query in queries if "OFFSET" in query["sql"]] == []


@pytest.mark.usefixtures("one_a_page")
def test_rows_that_no_index_knows_are_found_by_looking_further(
    superuser: Client, acme_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_paging, "LOOKED_THROUGH", 3)
    about: Any = {"customer": acme_world.customer, "event": acme_world.event}
    sought = [notification(acme_world.tenant, "acme", channel="slack", **about) for _ in range(2)]
    for _ in range(7):
        notification(acme_world.tenant, "acme", **about)

    down = turned(superuser, NotificationLog, "older", channel="slack")
    up = turned(superuser, NotificationLog, "newer", channel="slack", before=str(sought[0].pk))

    assert [[row.pk for row in page.rows] for page in down] == [[], [], [sought[1].pk], [sought[0].pk]]
    assert [row.pk for page in up for row in page.rows] == [one.pk for one in sought]
    first = superuser.get(list_of(NotificationLog), {"channel": "slack"}).content.decode()
    assert "Looked through 10000 notifications, as far as" in first
    assert "Look further" in first


@pytest.mark.parametrize("status", ["failed", "held"])
def test_rare_status_of_a_tenant_is_known_by_an_index(status: str, operator: Client, acme_world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        operator.get(list_of(NotificationLog), {"status": status})

    assert not any("OFFSET" in query["sql"] for query in queries)


@pytest.mark.parametrize("key", ["x", "0", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_list_without_such_a_page_goes_back_to_the_first(
    side: str, key: str, superuser: Client, acme_world: World
) -> None:
    response = superuser.get(list_of(NotificationLog), {side: key}, follow=True)

    assert response.status_code == 200
    assert len(response.context["cl"].result_list) == 1


@pytest.mark.usefixtures("one_a_page")
def test_other_filter_begins_at_its_newest_row(superuser: Client, acme_world: World) -> None:
    older = superuser.get(list_of(NotificationLog), {"before": str(acme_world.notification.pk)}).content.decode()

    assert "?before=" not in older
    assert 'name="before"' not in older


@pytest.mark.parametrize(("page", "problem"), [(DEEPEST_PAGE + 1, EmptyPage), (2, EmptyPage), ("x", InvalidPage)])
def test_offered_rows_end_where_going_deeper_would_cost(page: Any, problem: Any, acme_world: World) -> None:
    with pytest.raises(problem):
        UncountedPaginator(NotificationLog.objects.order_by("-id"), 100).page(page)
