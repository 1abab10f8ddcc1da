"""One-click unsubscribe (RFC 8058), from the header of a mail that was received to the router that obeys."""

import time
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.utils import timezone

from delivery_gateway import suppressions
from delivery_gateway.models import NotificationLog, Suppression
from delivery_gateway.unsubscribe_links import LIFETIME_DAYS, token_for
from monitoring.models import AuditEntry
from notification_processor import dispatching
from notification_processor.models import Event
from tests.conftest import client_with, needs_redis
from tests.flow.unsubscribing.mail import BASE, ONE_CLICK, link_in, notify, press, status_of
from traffic_control.guessing import GUESSES
from user_preferences.models import Customer, Preference

FORM = "application/x-www-form-urlencoded"


def test_mail_has_both_headers_once_and_critical_mail_none(live, mailbox):
    notify(live)
    notify(live, critical=True)

    news, critical = mailbox.received
    assert len(news.message.get_all("List-Unsubscribe")) == 1
    assert news.message.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert link_in(news)
    assert (critical.message["List-Unsubscribe"], critical.message["List-Unsubscribe-Post"]) == (None, None)


def test_mail_through_another_backend_has_both_headers(live, mailbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    notify(live, html="<p>Hello</p>")

    headers = django_mail.outbox[0].message()
    assert headers["List-Unsubscribe"].startswith(f"<{BASE}/u/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(("url", "link", "promise"), [("", False, False), ("http://notify.example.com", True, False)])
def test_mail_promises_one_click_over_https_only(live, mailbox, settings, url, link, promise):
    settings.PUBLIC_URL = url
    notify(live)

    (got,) = mailbox.received
    assert ("List-Unsubscribe" in got.message, "List-Unsubscribe-Post" in got.message) == (link, promise)


def test_one_click_keeps_back_this_category_from_this_address(live, mailbox, browser):
    notify(live)
    answer = press(browser, link_in(mailbox.received[0]))

    assert (answer.status_code, answer.content, answer.cookies) == (200, b"Unsubscribed.\n", {})
    assert status_of(live, notify(live)) == ("suppressed", "address_suppressed")
    assert status_of(live, notify(live, critical=True)) == ("sent", None)
    assert status_of(live, notify(live, category="receipts")) == ("sent", None)
    assert status_of(live, notify(live, to="eve@example.com")) == ("sent", None)


def test_one_click_from_mail_without_a_category_keeps_back_all_that_is_not_critical(live, mailbox, browser):
    notify(live, category=None)
    press(browser, link_in(mailbox.received[0]))

    assert status_of(live, notify(live, category="receipts")) == ("suppressed", "address_suppressed")
    assert status_of(live, notify(live, critical=True)) == ("sent", None)


def test_one_click_of_a_customer_becomes_their_choice(live, mailbox, ann, browser):
    notify(live, to=None, user_id="ann")
    press(browser, link_in(mailbox.received[0]))

    choices = live.get("/v1/preferences/ann/").json()
    assert choices["categories"] == {"news": {"email": False}}
    assert Preference.objects.get().source == "unsubscribe_link"
    assert status_of(live, notify(live, to=None, user_id="ann")) == ("suppressed", "category_channel_choice")
    assert not Suppression.objects.exists()


def test_customer_may_come_back_through_the_tenant(live, mailbox, ann, browser):
    notify(live, to=None, user_id="ann")
    press(browser, link_in(mailbox.received[0]))
    live.patch("/v1/preferences/ann/", {"categories": {"news": {"email": True}}})

    assert status_of(live, notify(live, to=None, user_id="ann")) == ("sent", None)


def test_what_was_scheduled_before_is_kept_back_as_well(live, mailbox, ann, browser):
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    live.post("/v1/workflows/", {"event_type": "SALE", "channels": ["email"], "category": "news"})
    direct = notify(live, to=None, user_id="ann", send_at=soon)
    plain = notify(live, send_at=soon)
    event = live.post("/api/events/", {"event_type": "SALE", "user_id": "ann", "payload": {}, "send_at": soon}).json()
    notify(live, to=None, user_id="ann")
    notify(live)

    for received in list(mailbox.received):
        press(browser, link_in(received))
    Event.objects.filter(id=event["id"]).update(due_at=timezone.now())
    dispatching.tick(now=timezone.now() + timedelta(hours=2))

    assert status_of(live, direct) == ("suppressed", "category_channel_choice")
    assert status_of(live, plain) == ("suppressed", "address_suppressed")
    (of_event,) = live.get(f"/v1/notifications/?event_id={event['id']}").json()["data"]
    assert (of_event["status"], of_event["reason"]) == ("suppressed", "category_channel_choice")
    assert len(mailbox.received) == 2


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", FORM),
        ("a=b", FORM),
        ("List-Unsubscribe=Two-Click", FORM),
        ('{"List-Unsubscribe": "One-Click"}', "application/json"),
        ("--x\r\nbroken", "multipart/form-data; boundary=x"),
        ("broken", "multipart/form-data"),
    ],
)
def test_post_that_does_not_say_so_changes_nothing(live, mailbox, browser, body, kind):
    notify(live)
    answer = browser.generic("POST", link_in(mailbox.received[0]), body, content_type=kind)

    assert answer.status_code == 400
    assert status_of(live, notify(live)) == ("sent", None)


def test_one_click_may_come_as_multipart_and_more_than_once(live, mailbox, browser):
    notify(live)
    link = link_in(mailbox.received[0])

    answers = [browser.post(link, ONE_CLICK), browser.generic("POST", link, "List-Unsubscribe=One-Click", FORM)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert Suppression.objects.count() == 1
    assert AuditEntry.objects.filter(action="suppression.unsubscribed").count() == 1


def test_unsubscription_is_in_the_audit_log(live, mailbox, ann, browser, acme):
    notify(live, to=None, user_id="ann")
    press(browser, link_in(mailbox.received[0]))

    entry = AuditEntry.objects.get(action="preference.unsubscribed")
    assert (entry.tenant_id, entry.actor_kind, entry.ip) == (acme.tenant.id, "recipient", "")
    assert entry.summary == f'Customer {entry.object_id} unsubscribed from "news" on email'
    assert "ann@example.com" not in str(entry.__dict__)


def test_link_of_one_tenant_changes_nothing_for_another(live, mailbox, browser):
    from tenants.services import register

    globex = client_with(register("Globex", "ops@globex.test").api_key)
    notify(live)
    press(browser, link_in(mailbox.received[0]))

    assert status_of(globex, notify(globex)) == ("sent", None)


def test_customer_of_another_tenant_is_not_reached_by_a_token(live, mailbox, ann, browser, acme):
    from tenants.services import register

    globex = register("Globex", "ops@globex.test").tenant
    link = f"/u/{token_for(globex.id, Customer.objects.get().id, '', 'news')}"

    assert "a•••" not in browser.get(link).content.decode()
    assert press(browser, link).status_code == 200
    assert not Preference.objects.exists()


def test_link_that_is_forged_or_too_old_is_refused(mailbox, browser, acme):
    token = token_for(acme.tenant.id, None, "bob@example.com", "news")
    forged = ("A" if token[0] != "A" else "B") + token[1:]
    assert press(browser, f"/u/{forged}").status_code == 404
    assert browser.get(f"/u/{forged}").status_code == 404

    long_ago = time.time() - (LIFETIME_DAYS + 1) * 86_400
    old = token_for(acme.tenant.id, None, "bob@example.com", "news", now=long_ago)
    assert (press(browser, f"/u/{old}").status_code, browser.get(f"/u/{old}").status_code) == (410, 410)
    assert not Suppression.objects.exists()


@needs_redis
def test_guessing_is_slowed_down_and_a_right_link_is_not(live, mailbox, browser):
    notify(live)

    answers = [browser.get(f"/u/{'A' * 75}") for _ in range(GUESSES.quota + 1)]

    assert [answers[0].status_code, answers[-1].status_code] == [404, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert press(browser, link_in(mailbox.received[0])).status_code == 200


def test_address_unsubscribed_twice_over_is_found_in_one_query(live, mailbox, browser, django_assert_num_queries, acme):
    for category in ("news", "tips"):
        notify(live, category=category)
    for received in mailbox.received:
        press(browser, link_in(received))

    address = (acme.tenant.id, "email", "bob@example.com")
    with django_assert_num_queries(1):
        known = suppressions.among([address])

    assert known.reasons == {address: {"news": "unsubscribed", "tips": "unsubscribed"}}
    assert NotificationLog.objects.count() == 2
