"""The page behind a customer's signed link, from the mail that has it to the router that obeys."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from notification_processor import dispatching
from notification_processor.models import Event
from tests.flow.preferences.page import form_of, reason, saved, sent, undo_of
from user_preferences.models import ConsentEntry, Customer, Preference
from user_preferences.pages import texts

HOURS = {"quiet_on": "yes", "quiet_from": "21:30", "quiet_to": "06:45", "quiet_zone": "Europe/Warsaw"}


def test_looking_changes_nothing_and_needs_no_script(ann, browser, link):
    for look in (browser.get, browser.head, browser.options, browser.get):
        look(link, headers={"user-agent": "Slackbot-LinkExpanding 1.0"})
    page = browser.get(link)

    text = page.content.decode()
    assert page.status_code == 200
    assert all(word in text for word in ("Acme", "a•••@example.com", "news", "Always on", "Quiet hours"))
    assert "ann@example.com" not in text
    assert "<script" not in text
    assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert (page["Referrer-Policy"], page["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert (page["Cache-Control"], page.cookies) == ("no-store", {})
    assert not Preference.objects.exists()
    assert not ConsentEntry.objects.exists()


def test_untouched_form_changes_nothing(ann, browser, link):
    page = saved(browser, link)

    assert "nothing to change" in page.content.decode()
    assert not ConsentEntry.objects.exists()


def test_box_unticked_is_a_choice_that_the_router_obeys(live, ann, browser, link):
    page = saved(browser, link, off=["email:news"])

    assert (page.status_code, page.cookies) == (200, {})
    assert live.get("/v1/preferences/ann/").json()["categories"] == {"news": {"email": False}}
    assert reason(live) == "category_channel_choice"
    assert reason(live, "SIGN_IN") == ""
    entry = ConsentEntry.objects.get()
    assert (entry.source, entry.actor_kind, entry.actor_id) == ("preference_page", "recipient", str(ann.pk))
    assert (len(entry.ip_hash), entry.text_version) == (32, texts.version_of("en"))


def test_post_sent_twice_is_one_change(ann, browser, link):
    form = form_of(browser.get(link))
    form["on"].remove("email:news")
    answers = [browser.post(link, form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert ConsentEntry.objects.count() == 1


def test_undo_brings_back_what_was(live, ann, browser, link):
    live.put("/v1/preferences/ann/", {"categories": {"news": {"in_app": False}}})
    page = saved(browser, link, off=["email:news"], on=["in_app:news"], quiet_day=["mon"], **HOURS)
    assert live.get("/v1/preferences/ann/").json()["quiet_hours"]["days"] == {"mon": [["21:30", "06:45"]]}

    for _ in range(2):
        assert browser.post(link, undo_of(page)).status_code == 200

    told = live.get("/v1/preferences/ann/").json()
    assert (told["categories"], told["quiet_hours"]) == ({"news": {"in_app": False}}, None)


def test_box_ticked_again_takes_the_choice_back(live, ann, browser, link):
    saved(browser, link, off=["email:news", "email:"])
    saved(browser, link, on=["email:news", "email:"])

    assert not Preference.objects.exists()
    assert reason(live) == ""


def test_channel_off_is_off_for_everything_that_may_be_declined(live, ann, browser, link):
    page = saved(browser, link, off=["email:"])

    assert "off for everything" in page.content.decode()
    assert (reason(live), reason(live, "SIGN_IN")) == ("channel_choice", "")


def test_declining_all_keeps_what_is_critical_and_can_be_undone(live, ann, browser, link):
    page = browser.post(link, {"do": "all_off"})
    assert (reason(live), reason(live, "SIGN_IN")) == ("channel_choice", "")

    browser.post(link, undo_of(page))
    assert reason(live) == ""


def test_locked_row_is_not_heard(ann, browser, link):
    form = form_of(browser.get(link)) | {"was": ["email:security"]}
    browser.post(link, form)
    browser.post(link, {"do": "undo", "back": ["off:email:security", "off:pigeon:news", "nonsense"]})

    assert not Preference.objects.filter(category="security").exists()


@pytest.mark.parametrize(
    "wrong", [{"quiet_zone": "Mars/Base"}, {"quiet_from": "25:00"}, {"quiet_from": "06:45"}, {"quiet_day": []}]
)
def test_quiet_hours_that_cannot_be_are_refused_beside_the_form(ann, browser, link, wrong):
    page = saved(browser, link, **(HOURS | {"quiet_day": ["mon"]} | wrong))

    assert (page.status_code, 'role="alert"' in page.content.decode()) == (400, True)
    assert Customer.objects.get().quiet_hours is None


@pytest.mark.parametrize("body", [{}, {"do": "everything"}, {"do": "undo", "back_quiet": "{"}])
def test_post_that_is_no_form_of_the_page_changes_nothing(ann, browser, link, body):
    assert browser.post(link, body).status_code == 400
    assert not ConsentEntry.objects.exists()


def test_change_holds_for_what_was_scheduled_before(live, ann, browser, link):
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    direct = live.post("/v1/notify/", {
        "channel": "email", "user_id": "ann", "body": "Hi", "category": "news", "send_at": soon,
    }).json()["id"]  # fmt: skip
    later = sent(live, send_at=soon)
    saved(browser, link, off=["email:news"])

    Event.objects.update(due_at=timezone.now())
    dispatching.tick(now=timezone.now() + timedelta(hours=2))

    row = NotificationLog.objects.get(id=direct)
    assert (row.status, row.reason) == ("suppressed", "category_channel_choice")
    assert later.get(channel="email").reason == "category_channel_choice"
    assert later.get(channel="in_app").status == "sent"


def test_words_of_tenants_are_text_on_the_page(live, ann, browser, link):
    live.patch("/v1/preferences/ann/", {"categories": {"<script>x": {"email": False}}})

    page = browser.get(link).content.decode()

    assert "<script" not in page
    assert "&lt;script&gt;x" in page
