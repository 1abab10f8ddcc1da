"""What strangers wrote is shown, never run; whom it went to is masked unless somebody may see it."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from delivery_gateway.models import DeadLetter, NotificationLog, SandboxMessage
from tests.admin.conftest import logged_in, staff
from tests.admin.pages import list_of, page_of
from tests.admin.world import World, parts
from user_preferences.models import Customer

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
RAW = ("<script>alert(1)", "<img src=x")


def hostile(world: World) -> list[str]:
    NotificationLog.objects.update(
        subject=ATTACK, body=ATTACK, html=ATTACK, payload={ATTACK: ATTACK}, reason="attack", detail=ATTACK,
        user_id=ATTACK, event_type=ATTACK, error_code=ATTACK, provider_response=ATTACK, template_name=ATTACK,
    )  # fmt: skip
    world.notification.attempt_rows.update(code=ATTACK, detail=ATTACK, outcome="<b>")
    DeadLetter.objects.update(code=ATTACK, reason=ATTACK)
    type(world.event).objects.update(
        payload={ATTACK: [ATTACK]}, event_type=ATTACK, recipients=[ATTACK, ATTACK], error=ATTACK
    )
    type(world.inbox_item).objects.update(title=ATTACK, body=ATTACK, payload={"a": ATTACK}, category=ATTACK)
    SandboxMessage.objects.update(subject=ATTACK, body=ATTACK, html=ATTACK, payload={"a": ATTACK}, event_type=ATTACK)
    Customer.objects.update(
        user_id=ATTACK, name=ATTACK, email=ATTACK, addresses={ATTACK: ATTACK}, attributes={"a": ATTACK}
    )
    world.template.versions.update(subject=ATTACK, body=ATTACK, html=ATTACK)
    type(world.integration).objects.update(name=ATTACK, config={ATTACK: ATTACK}, secret_hints={"secret": ATTACK})
    type(world.key).objects.update(name=ATTACK)
    type(world.tenant).objects.update(name=ATTACK)
    return [url for row in world.rows for url in (list_of(row), page_of(row), page_of(row, "history"))]


def test_nothing_a_stranger_wrote_becomes_markup(superuser: Client, viewer: Client, acme_world: World) -> None:
    urls = hostile(acme_world)

    answers = [(url, client.get(url)) for client in (superuser, viewer) for url in urls]

    assert {response.status_code for _, response in answers} == {200}
    assert [url for url, response in answers if any(raw in response.content.decode() for raw in RAW)] == []


def test_html_part_is_shown_in_a_frame_that_may_do_nothing(superuser: Client, acme_world: World) -> None:
    page = superuser.get(page_of(acme_world.notification)).content.decode()

    (frame,) = re.findall(r"<iframe[^>]*>", page)
    assert 'sandbox=""' in frame
    assert "default-src &amp;#x27;none&amp;#x27;" in frame
    assert "&lt;p&gt;acme html&lt;/p&gt;" in frame


@pytest.mark.parametrize("name", ["notification", "letter", "captured", "customer", "tenant"])
def test_addresses_are_masked_for_who_may_not_see_them(name: str, operator: Client, acme_world: World) -> None:
    row = getattr(acme_world, name)
    shown = "".join(operator.get(url).content.decode() for url in (list_of(row), page_of(row)))

    full = ["ops@acme.test", "person@acme.test", "test@acme.test", "48123456789", "secret-path"]
    assert [address for address in full if address in shown] == []
    assert "•••" in shown


@pytest.mark.parametrize("name", ["notification", "letter", "captured", "customer"])
def test_addresses_are_shown_to_who_may_see_them(name: str, acme_world: World) -> None:
    row = getattr(acme_world, name)
    trusted = logged_in(staff(acme_world.tenant, *Permission.objects.all()))

    shown = "".join(trusted.get(url).content.decode() for url in (list_of(row), page_of(row)))

    assert "person@acme.test" in shown or "test@acme.test" in shown


def test_masked_addresses_are_one_field(operator: Client, acme_world: World) -> None:
    page = operator.get(page_of(acme_world.customer)).content.decode()

    assert page.count("slack: https://hooks.acme.test/•••path") == 1


def test_new_customer_can_be_given_addresses_by_who_may_not_see_them(operator: Client, acme_world: World) -> None:
    body = {"user_id": "new", "email": "new@acme.test", "telegram": "12345", "attributes": "{}"}
    formset = {"preferences-TOTAL_FORMS": "0", "preferences-INITIAL_FORMS": "0"}
    operator.post(reverse("admin:user_preferences_customer_add"), body | formset)

    stored = Customer.objects.get(user_id="new")
    assert (stored.email, stored.addresses) == ("new@acme.test", {"telegram": "12345"})


def test_saving_a_customer_without_seeing_addresses_keeps_them(operator: Client, acme_world: World) -> None:
    body = {"name": "New name", "email": "stolen@evil.test", "slack": "", "attributes": "{}"}
    formset = {"preferences-TOTAL_FORMS": "0", "preferences-INITIAL_FORMS": "0"}
    operator.post(page_of(acme_world.customer), body | formset)

    stored = Customer.objects.get(pk=acme_world.customer.pk)
    assert stored.name == "New name"
    assert (stored.email, stored.phone, stored.addresses) == (
        acme_world.customer.email,
        acme_world.customer.phone,
        acme_world.customer.addresses,
    )


def test_history_of_versions_shows_words_as_words(superuser: Client, acme_world: World) -> None:
    from notification_processor.templates import revise

    revise(acme_world.template, parts("Hi", "{{ '<b>' }}", "<script>alert(1)</script>"))

    page = superuser.get(page_of(acme_world.template)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
