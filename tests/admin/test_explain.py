"""The page that says why somebody was told of an event, or was not."""

from django.test import Client
from django.urls import reverse

from tests.admin.conftest import logged_in, staff
from tests.admin.pages import page_of
from tests.admin.world import World

EXPLAIN = reverse("admin:notification_processor_event_explain")


def ask(client: Client, world: World, user_id: str = ""):
    asked = {"event_id": str(world.event.pk), "user_id": user_id or world.customer.user_id}
    return client.get(EXPLAIN, asked)


def test_page_asks_first(viewer: Client) -> None:
    response = viewer.get(EXPLAIN)

    assert response.status_code == 200
    assert response.context["found"] is None


def test_page_tells_what_became_of_each_channel(viewer: Client, acme_world: World) -> None:
    text = ask(viewer, acme_world).content.decode()

    assert "acme-user was told nothing." in text
    assert "It failed for good." in text
    assert "attempts_exhausted" in text
    assert "p•••@acme.test" in text
    assert acme_world.customer.email not in text


def test_address_is_shown_to_whoever_may_see_it(superuser: Client, acme_world: World) -> None:
    assert acme_world.customer.email in ask(superuser, acme_world).content.decode()


def test_person_who_was_not_meant_is_told_so(viewer: Client, acme_world: World) -> None:
    assert "bob is not among the recipients" in ask(viewer, acme_world, "bob").content.decode()


def test_other_tenants_events_are_not_there(viewer: Client, acme_world: World, globex_world: World) -> None:
    response = ask(viewer, globex_world)

    assert response.context["found"] is None
    assert "There is no such event here." in response.content.decode()


def test_staff_without_the_right_to_look_are_refused(acme_world: World) -> None:
    assert ask(logged_in(staff(acme_world.tenant)), acme_world).status_code == 403


def test_page_of_a_notification_has_its_decisions_and_leads_here(viewer: Client, acme_world: World) -> None:
    text = viewer.get(page_of(acme_world.notification)).content.decode()

    assert f"{EXPLAIN}?event_id={acme_world.event.pk}&amp;user_id=acme-user" in text
    assert "attempts_exhausted" in text


def test_newest_events_of_a_person_are_offered(viewer: Client, acme_world: World) -> None:
    response = viewer.get(EXPLAIN, {"user_id": acme_world.customer.user_id})

    assert [event["id"] for event in response.context["recent"]] == [acme_world.event.pk]
    assert f"?user_id=acme-user&amp;event_id={acme_world.event.pk}" in response.content.decode()


def test_events_of_other_tenants_people_are_not_offered(viewer: Client, acme_world: World, globex_world: World) -> None:
    response = viewer.get(EXPLAIN, {"user_id": globex_world.customer.user_id})

    assert response.context["recent"] == []
    assert "was it another user_id?" in response.content.decode()
