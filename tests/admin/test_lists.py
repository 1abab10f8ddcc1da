"""Big tables are never counted, and paged one look ahead."""

import pytest
from django.core.paginator import EmptyPage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from delivery_gateway import dead_letters
from delivery_gateway.models import DeadLetter, InboxItem, NotificationLog, SandboxMessage, Suppression
from notification_processor.models import Event
from tenants.admin_lists import DEEPEST_PAGE, UncountedPaginator
from tests.admin.pages import list_of
from tests.admin.world import World, notification
from user_preferences.models import Customer, Preference

BIG = [Event, NotificationLog, DeadLetter, InboxItem, SandboxMessage, Suppression, Customer, Preference]


@pytest.mark.parametrize("model", BIG, ids=lambda model: model.__name__)
def test_list_of_a_big_table_counts_nothing(model, superuser: Client, acme_world: World) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        superuser.get(list_of(model), {"q": "acme-user"})

    assert [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()] == []


def test_list_takes_the_same_queries_for_many_rows(superuser: Client, acme_world: World) -> None:
    with CaptureQueriesContext(connection) as one:
        superuser.get(list_of(NotificationLog))
    fill(acme_world, 30)
    with CaptureQueriesContext(connection) as many:
        superuser.get(list_of(NotificationLog))

    assert len(many) == len(one)


def test_list_leads_to_older_rows_and_back(superuser: Client, acme_world: World) -> None:
    fill(acme_world, 120)

    newest = superuser.get(list_of(NotificationLog))
    older = superuser.get(list_of(NotificationLog), {"p": "2"})

    assert len(newest.context["cl"].result_list) == 100
    assert len(older.context["cl"].result_list) == 21
    assert "Older" in newest.content.decode()
    assert "Newer" not in newest.content.decode()
    assert "Older" not in older.content.decode()
    assert "Newer" in older.content.decode()


@pytest.mark.parametrize("page", ["99", "0", "x", str(DEEPEST_PAGE + 1)])
def test_list_without_such_a_page_goes_back_to_the_first(page: str, superuser: Client, acme_world: World) -> None:
    response = superuser.get(list_of(NotificationLog), {"p": page}, follow=True)

    assert response.status_code == 200
    assert len(response.context["cl"].result_list) == 1


def test_paginator_ends_where_going_deeper_would_cost(acme_world: World) -> None:
    pages = UncountedPaginator(NotificationLog.objects.order_by("-id"), 100)

    with pytest.raises(EmptyPage):
        pages.page(DEEPEST_PAGE + 1)


def fill(world: World, count: int) -> None:
    for _ in range(count):
        notification(world.tenant, "acme", customer=world.customer, event=world.event)


def test_choice_past_the_page_is_offered_without_a_number(superuser: Client, acme_world: World) -> None:
    offer = "Select all that match, on every page"
    assert offer not in superuser.get(list_of(DeadLetter)).content.decode()

    fill(acme_world, 100)
    dead_letters.open_letters(list(NotificationLog.objects.exclude(pk=acme_world.notification.pk)))

    assert offer in superuser.get(list_of(DeadLetter)).content.decode()
