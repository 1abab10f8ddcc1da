"""A message sent once more: a notification of its own, linked to the first, decided anew, and noted."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from delivery_gateway import people, retention, suppressions
from delivery_gateway.models import DeadLetter, NotificationCopy, NotificationLog, SandboxMessage
from monitoring.models import AuditEntry
from tests.admin.conftest import logged_in, staff
from tests.admin.pages import messages_of, page_of
from tests.admin.world import World, notification
from traffic_control.people import Person
from user_preferences.models import Customer, Preference

WORDS = ("subject", "body", "html", "template_name", "category", "event_id", "event_type", "user_id", "customer_id")


def resend_of(row: NotificationLog, *, to_me: bool = False) -> str:
    url = reverse("admin:notification_processor_event_resend", args=[row.pk])
    return f"{url}?to=me" if to_me else url


@pytest.fixture
def sent(acme_world: World, inline: None) -> NotificationLog:
    """By a test key, so that nothing leaves."""
    world = acme_world
    return notification(world.tenant, "acme", customer=world.customer, event=world.event, mode="test", status="sent")


def copied(client: Client, row: NotificationLog, *, to_me: bool = False) -> NotificationLog:
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = client.post(resend_of(row, to_me=to_me), follow=True)
    assert "on its way" in messages_of(response), messages_of(response)
    return NotificationLog.objects.get(pk=NotificationCopy.objects.get(original_id=row.pk).pk)


def test_copy_says_the_same_to_the_same_person(operator: Client, sent: NotificationLog) -> None:
    copy = copied(operator, sent)

    assert {name: getattr(copy, name) for name in WORDS} == {name: getattr(sent, name) for name in WORDS}
    assert (copy.status, copy.mode, copy.to) == ("sent", "test", sent.to)
    assert SandboxMessage.objects.filter(pk=copy.pk).exists()


def test_copy_and_original_lead_to_each_other(operator: Client, sent: NotificationLog) -> None:
    copy = copied(operator, sent)

    assert page_of(copy) in operator.get(page_of(sent)).content.decode()
    assert page_of(sent) in operator.get(page_of(copy)).content.decode()


def test_copy_is_noted(operator: Client, sent: NotificationLog) -> None:
    copy = copied(operator, sent)

    entry = AuditEntry.objects.get(action="notification.again")
    assert (entry.object_id, entry.actor_kind) == (str(sent.pk), "user")
    assert str(copy.pk) in entry.summary


def test_copy_goes_to_the_address_of_today(operator: Client, sent: NotificationLog) -> None:
    Customer.objects.filter(user_id=sent.user_id).update(email="new@acme.test")

    assert copied(operator, sent).to == "new@acme.test"


def test_copy_is_decided_anew(operator: Client, acme_world: World, sent: NotificationLog) -> None:
    Preference.objects.create(tenant=acme_world.tenant, customer=acme_world.customer, channel="email", is_enabled=False)

    copy = copied(operator, sent)

    assert (copy.status, copy.reason) == ("suppressed", "channel_choice")


def test_copy_respects_suppressions(operator: Client, acme_world: World, sent: NotificationLog) -> None:
    digest = suppressions.address_hash(acme_world.tenant.pk, sent.to)
    suppressions.add(acme_world.tenant.pk, "email", digest, scope="", reason="gone")

    assert copied(operator, sent).reason == "address_suppressed"


def test_copy_to_me_goes_to_my_mailbox_only(acme_world: World, sent: NotificationLog) -> None:
    me = staff(acme_world.tenant, *Permission.objects.exclude(codename="view_pii"))
    User.objects.filter(pk=me.pk).update(email="me@acme.test")

    copy = copied(logged_in(me), sent, to_me=True)

    assert (copy.to, copy.channel, copy.status, copy.mode) == ("me@acme.test", "email", "sent", "test")
    assert (copy.subject, copy.body, copy.user_id, copy.customer_id) == (sent.subject, sent.body, "", None)
    assert AuditEntry.objects.get(action="notification.to_staff").object_id == str(sent.pk)


def test_copy_to_me_needs_my_address(operator: Client, sent: NotificationLog) -> None:
    response = operator.post(resend_of(sent, to_me=True))

    assert "no email address" in response.content.decode()
    assert not NotificationCopy.objects.exists()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"status": "queued"}, "still under way"),
        ({"status": "failed"}, "dead letter"),
        ({"subject": "", "body": "", "html": ""}, "no words"),
    ],
)
def test_what_cannot_be_sent_says_why(columns, said: str, operator: Client, acme_world: World) -> None:
    columns = {"status": "sent", "customer": acme_world.customer, "event": acme_world.event} | columns
    row = notification(acme_world.tenant, "acme", **columns)

    response = operator.post(resend_of(row))

    assert said in response.content.decode()
    assert not NotificationCopy.objects.exists()


def test_page_masks_the_address_and_warns(operator: Client, superuser: Client, sent: NotificationLog) -> None:
    masked, full = (client.get(resend_of(sent)).content.decode() for client in (operator, superuser))

    assert "p•••@acme.test" in masked
    assert sent.to not in masked
    assert sent.to in full
    assert "gets it twice" in full
    assert "stays in the sandbox" in full


def test_page_is_for_whoever_may_send_again(
    operator: Client, viewer: Client, sent: NotificationLog, globex_world: World
) -> None:
    assert resend_of(sent) in operator.get(page_of(sent)).content.decode()
    assert resend_of(sent) not in viewer.get(page_of(sent)).content.decode()
    assert viewer.post(resend_of(sent)).status_code == 403
    assert operator.post(resend_of(globex_world.notification)).status_code == 404
    assert not NotificationCopy.objects.exists()


def test_copy_goes_with_the_notifications_of_its_time(operator: Client, sent: NotificationLog) -> None:
    copied(operator, sent)
    DeadLetter.objects.all().delete()

    retention.delete_before(timezone.now() + timedelta(days=1))

    assert not NotificationCopy.objects.exists()


def test_copy_to_staff_is_forgotten_with_the_person(acme_world: World, sent: NotificationLog) -> None:
    me = staff(acme_world.tenant, *Permission.objects.all())
    User.objects.filter(pk=me.pk).update(email="me@acme.test")
    copy = copied(logged_in(me), sent, to_me=True)
    person = Person(tenant_id=acme_world.tenant.pk, until=timezone.now(), user_id=sent.user_id)

    people.step(person, "")

    copy.refresh_from_db()
    assert (copy.to, copy.subject, copy.body, copy.html) == ("", "", "", "")
