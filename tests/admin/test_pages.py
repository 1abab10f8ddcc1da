"""Every page opens, for every model that is registered."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delivery_gateway.models import NotificationLog
from tenants.models import Membership
from tests.admin.pages import REGISTERED, add_to, list_of, page_of
from tests.admin.world import World

FACTS = {
    "Event", "NotificationLog", "DeadLetter", "ReplayJob", "InboxItem", "SandboxMessage", "AuditEntry", "ConsentEntry",
}  # fmt: skip
WITH_ADD_PAGE = [model for model in REGISTERED if model.__name__ not in FACTS]


def test_index_of_console_names_the_product(superuser: Client) -> None:
    page = superuser.get(reverse("admin:index")).content.decode()

    assert "Traffic Control" in page


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_list_opens_for_superuser(model, superuser: Client, acme_world: World, globex_world: World) -> None:
    assert superuser.get(list_of(model)).status_code == 200


@pytest.mark.parametrize("model", WITH_ADD_PAGE, ids=lambda model: model.__name__)
def test_add_page_opens_for_superuser(model, superuser: Client) -> None:
    assert superuser.get(add_to(model)).status_code == 200


@pytest.mark.parametrize("name", ["change", "history"])
def test_pages_of_every_row_open_for_superuser(name: str, superuser: Client, acme_world: World) -> None:
    member = Membership.objects.create(user=User.objects.get(), tenant=acme_world.tenant)
    rows = [*acme_world.rows, member, User.objects.get(), Group.objects.create(name="Support")]

    found = {row._meta.label: superuser.get(page_of(row, name)).status_code for row in rows}

    assert found == dict.fromkeys((model._meta.label for model in REGISTERED), 200)


@pytest.mark.parametrize("name", ["change", "history"])
def test_pages_of_every_row_open_for_staff_who_may_only_look(name: str, viewer: Client, acme_world: World) -> None:
    assert {viewer.get(page_of(row, name)).status_code for row in acme_world.rows} == {200}


@pytest.mark.parametrize("channel", ["email", "slack", "teams", "telegram", "webhook"])
def test_add_page_of_an_integration_opens_for_each_channel(channel: str, superuser: Client) -> None:
    assert superuser.get(reverse("admin:tenants_integration_add"), {"channel": channel}).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"status": "failed", "channel": "email", "mode": "live", "age": "day"},
        {"q": "acme-user"},
        {"q": "018f0000-0000-7000-8000-000000000000"},
        {"event_id": "018f0000-0000-7000-8000-000000000000"},
    ],
)
def test_list_of_notifications_takes_filters(query: dict[str, str], superuser: Client, acme_world: World) -> None:
    assert superuser.get(list_of(NotificationLog), query).status_code == 200


@pytest.mark.parametrize("query", [{"to__startswith": "p"}, {"tenant__email": "x"}, {"subject__contains": "a"}])
def test_list_refuses_lookups_that_would_guess_what_is_masked(query, operator: Client, acme_world: World) -> None:
    assert operator.get(list_of(NotificationLog), query).status_code == 400


@pytest.mark.parametrize("query", [{"q": "acme-user"}, {"q": "event"}, {"q": "letter"}])
def test_search_finds_the_row_by_whole_values(query, superuser: Client, acme_world: World, globex_world: World) -> None:
    terms = {"event": str(acme_world.event.id), "letter": str(acme_world.notification.id)}

    found = superuser.get(list_of(NotificationLog), {"q": terms.get(query["q"], query["q"])}).context["cl"].result_list

    assert [row.pk for row in found] == [acme_world.notification.pk]


def test_sidebar_leads_to_what_this_person_may_open(superuser: Client, viewer: Client, acme_world: World) -> None:
    def places(client: Client) -> set[str]:
        groups = client.get(reverse("admin:index")).context["sidebar_navigation"]
        return {item["link"] for group in groups for item in group["items"]}

    assert {list_of(model) for model in REGISTERED} < places(superuser)
    assert list_of(User) not in places(viewer)
    assert {client.get(url).status_code for client in (superuser, viewer) for url in places(client)} == {200}


def test_pages_of_every_row_take_a_dozen_queries(operator: Client, acme_world: World) -> None:
    taken = {}
    for row in acme_world.rows:
        with CaptureQueriesContext(connection) as queries:
            operator.get(page_of(row))
        taken[row._meta.label] = len(queries)

    assert {label: count for label, count in taken.items() if count > 12} == {}
