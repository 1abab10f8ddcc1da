"""Big tables are never counted, and searched by whole values."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from delivery_gateway import dead_letters
from delivery_gateway.models import DeadLetter, InboxItem, NotificationLog, SandboxMessage, Suppression
from notification_processor.models import Event
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


def test_order_of_a_big_list_cannot_be_changed(superuser: Client, acme_world: World) -> None:
    fill(acme_world, 3)

    found = superuser.get(list_of(NotificationLog), {"o": "4"}).context["cl"].result_list

    assert [row.pk for row in found] == sorted((row.pk for row in found), reverse=True)


def test_address_is_looked_for_among_the_newest(superuser: Client, operator: Client, acme_world: World) -> None:
    sought = acme_world.customer.email
    notification(acme_world.tenant, "acme", customer=acme_world.customer, event=acme_world.event, to="x@acme.test")

    found = superuser.get(list_of(NotificationLog), {"q": sought}).context["cl"].result_list
    masked = operator.get(list_of(NotificationLog), {"q": sought}).context["cl"].result_list

    assert [row.pk for row in found] == [acme_world.notification.pk]
    assert list(masked) == []


def test_term_that_is_no_id_finds_nothing_that_has_none(superuser: Client, acme_world: World) -> None:
    NotificationLog.objects.filter(pk=acme_world.notification.pk).update(event_id=None)

    assert not superuser.get(list_of(NotificationLog), {"q": "nobody"}).context["cl"].result_list


def test_user_id_that_looks_like_an_address_is_found_by_its_index(superuser: Client, acme_world: World) -> None:
    NotificationLog.objects.filter(pk=acme_world.notification.pk).update(user_id="ann@example.com")

    changes = superuser.get(list_of(NotificationLog), {"q": "ann@example.com"}).context["cl"]

    assert [row.pk for row in changes.result_list] == [acme_world.notification.pk]
    assert changes.page.edge is None


def fill(world: World, count: int) -> None:
    for _ in range(count):
        notification(world.tenant, "acme", customer=world.customer, event=world.event)


def test_choice_past_the_page_is_offered_without_a_number(superuser: Client, acme_world: World) -> None:
    offer = "Select all that match, on every page"
    assert offer not in superuser.get(list_of(DeadLetter)).content.decode()

    fill(acme_world, 100)
    dead_letters.open_letters(list(NotificationLog.objects.exclude(pk=acme_world.notification.pk)))

    assert offer in superuser.get(list_of(DeadLetter)).content.decode()
