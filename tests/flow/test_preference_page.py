"""The page behind a customer's signed link, from the mail that has it to the router that obeys."""

import re
import time
from datetime import timedelta
from ipaddress import IPv4Address
from random import randrange

import pytest
from django.test import Client
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from notification_processor import dispatching
from notification_processor.models import Event
from tenants.services import register
from tests.conftest import client_with, needs_redis
from user_preferences.models import ConsentEntry, Customer, Preference
from user_preferences.pages import links, texts
from user_preferences.pages.views import LIMIT

BASE = "https://notify.example.com"
HOURS = {"quiet_on": "yes", "quiet_from": "21:30", "quiet_to": "06:45", "quiet_zone": "Europe/Warsaw"}


@pytest.fixture
def ann(live, settings):
    """Who may hear of sales by mail and in the app, and of sign-ins whatever she says."""
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = BASE, ["testserver", "notify.example.com"]
    live.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
    sale = {"event_type": "SALE", "channels": ["email", "in_app"], "category": "news"}
    for workflow in (sale, {"event_type": "SIGN_IN", "channels": ["email"], "category": "security", "critical": True}):
        assert live.post("/v1/workflows/", workflow).status_code == 201
    return Customer.objects.get(user_id="ann")


@pytest.fixture
def browser():
    """Somebody without a key, a cookie or a CSRF token; CSRF is enforced. Looks are counted by address."""
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=str(IPv4Address(0x0A000000 + randrange(1 << 24))))


@pytest.fixture
def link(live, ann):
    made = live.post("/v1/subscribers/ann/preference-links/")
    assert made.status_code == 201, made.json()
    return made.json()["url"].removeprefix(BASE)


def form_of(page):
    """What a browser would send when nothing is touched but the button."""
    html = page.content.decode().partition('name="quiet_was"')
    ticked = re.findall(r'name="on" value="([^"]+)" checked', page.content.decode())
    was = re.findall(r'name="was" value="([^"]+)"', html[0])
    values = dict(re.findall(r'name="(quiet_(?:from|to|zone|was))" value="([^"]*)"', page.content.decode()))
    days = re.findall(r'name="quiet_day" value="(\w+)" checked', page.content.decode())
    on = {"quiet_on": "yes"} if 'name="quiet_on" value="yes" checked' in page.content.decode() else {}
    return {"do": "save", "on": ticked, "was": was, "quiet_day": days} | values | on


def undo_of(page):
    fields = re.findall(r'type="hidden" name="(back\w*)" value="([^"]*)"', page.content.decode())
    form = {"do": "undo", "back": [value for name, value in fields if name == "back"]}
    return form | {name: value.replace("&quot;", '"') for name, value in fields if name == "back_quiet"}


def saved(browser, link, *, off=(), on=(), **further):
    form = form_of(browser.get(link))
    form["on"] = [name for name in [*form["on"], *on] if name not in off]
    return browser.post(link, form | further)


def sent(live, event_type="SALE", **fields):
    event = live.post("/api/events/", {"event_type": event_type, "user_id": "ann", "payload": {}} | fields).json()
    return NotificationLog.objects.filter(event_id=event["id"])


def reason(live, event_type="SALE"):
    return sent(live, event_type).get(channel="email").reason


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


def test_link_called_back_too_old_forged_or_of_another_purpose_is_refused(live, ann, browser, link, acme):
    from delivery_gateway.unsubscribe_links import token_for

    other = token_for(acme.tenant.id, ann.id, "", "news")
    old = links.token_for(ann, now=time.time() - (links.LIFETIME_DAYS + 1) * 86_400)
    forged = link.removeprefix("/p/")[:-1] + ("A" if link[-1] != "A" else "B")
    answers = [browser.post(f"/p/{token}", {"do": "all_off"}) for token in (other, old, forged)]
    assert [answer.status_code for answer in answers] == [404, 410, 404]
    assert all("Nothing was changed" in answer.content.decode() for answer in answers)

    assert live.delete("/v1/subscribers/ann/preference-links/").status_code == 204
    assert (browser.get(link).status_code, browser.post(link, {"do": "all_off"}).status_code) == (410, 410)
    assert browser.get(live.post("/v1/subscribers/ann/preference-links/").json()["url"][len(BASE) :]).status_code == 200
    assert not Preference.objects.exists()


def test_customer_of_another_tenant_is_not_reached_by_a_token(ann, browser):
    globex = register("Globex", "ops@globex.test").tenant
    token = links.token_for(Customer(pk=ann.pk, tenant=globex))

    assert browser.post(f"/p/{token}", {"do": "all_off"}).status_code == 404
    assert client_with(register("Other", "a@other.test").api_key).post(
        "/v1/subscribers/ann/preference-links/"
    ).status_code == 404  # fmt: skip
    assert not Preference.objects.exists()


def test_test_key_opens_nobodys_page(ann, acme):
    answer = client_with(acme.test_api_key).post("/v1/subscribers/ann/preference-links/")

    assert (answer.status_code, answer.json()["code"]) == (403, "live_key_needed")


@needs_redis
def test_looks_of_one_address_are_limited(ann, browser, link):
    answers = [browser.get(link) for _ in range(LIMIT.quota + 1)]

    assert [answers[0].status_code, answers[-1].status_code] == [200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("locale", "accepts", "said"),
    [
        ("de-AT", "en", "Ruhezeiten"),
        ("", "fr, de;q=0.5", "Ruhezeiten"),
        ("", "fr", "Quiet hours"),
    ],
)
def test_page_speaks_the_customers_language(ann, browser, link, locale, accepts, said):
    Customer.objects.update(locale=locale)

    assert said in browser.get(link, headers={"accept-language": accepts}).content.decode()


def test_languages_have_the_same_words():
    assert {language: sorted(words) for language, words in texts.LANGUAGES.items()} == dict.fromkeys(
        texts.LANGUAGES, sorted(texts.ENGLISH)
    )


@pytest.mark.parametrize("kind", ["event", "notify"])
def test_template_has_the_link_of_its_recipient(live, ann, browser, kind):
    words = {"name": "sale", "channel": "email", "subject": "Sale", "body": "{{ customer.preferences_url }}"}
    live.post("/v1/templates/", words)
    if kind == "event":
        row = sent(live).get(channel="email")
    else:
        body = {"channel": "email", "user_id": "ann", "template": "sale", "data": {}}
        row = NotificationLog.objects.get(id=live.post("/v1/notify/", body).json()["id"])

    assert row.body.strip() == f"{BASE}/p/{links.token_for(ann)}"
    assert browser.get(row.body.strip().removeprefix(BASE)).status_code == 200


def test_words_of_tenants_are_text_on_the_page(live, ann, browser, link):
    live.patch("/v1/preferences/ann/", {"categories": {"<script>x": {"email": False}}})

    page = browser.get(link).content.decode()

    assert "<script" not in page
    assert "&lt;script&gt;x" in page
