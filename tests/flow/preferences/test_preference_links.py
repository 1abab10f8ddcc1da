"""Links to a customer's page: whose they are, until when, and in which language what is behind them speaks."""

import time

import pytest

from delivery_gateway import suppressions
from delivery_gateway.models import NotificationLog
from tenants.services import register
from tests.conftest import client_with, needs_redis
from tests.flow.preferences.page import BASE, sent
from user_preferences.models import Customer, Preference
from user_preferences.pages import links, texts
from user_preferences.pages.views import LIMIT


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


@pytest.fixture
def old(ann):
    """A link that she once had."""
    return f"/p/{links.token_for(ann, now=time.time() - (links.LIFETIME_DAYS + 1) * 86_400)}"


def letters():
    return NotificationLog.objects.filter(channel="email")


@pytest.mark.parametrize("is_called_back", [False, True])
def test_void_link_has_a_fresh_one_mailed_to_its_holder(live, ann, browser, link, old, is_called_back):
    if is_called_back:
        live.delete("/v1/subscribers/ann/preference-links/")
        old = link
    live.patch("/v1/preferences/ann/", {"channels": {"*": False}})  # which does not hold back what she asks for

    page = browser.post(old, {"do": "fresh"})

    assert (page.status_code, page.cookies) == (202, {})
    letter = letters().get()
    assert (letter.status, letter.to) == ("sent", "ann@example.com")
    assert "Acme" in letter.subject
    [fresh] = [word.removeprefix(BASE) for word in letter.body.split() if word.startswith(BASE)]
    assert browser.get(fresh).status_code == 200
    assert browser.get(old).status_code == 410


def test_looking_at_a_void_link_mails_nothing(ann, browser, old):
    for look in (browser.get, browser.head, browser.options, browser.get):
        look(old, headers={"user-agent": "Slackbot-LinkExpanding 1.0"})

    assert 'value="fresh"' in browser.get(old).content.decode()
    assert not letters().exists()


def test_asking_for_a_fresh_link_tells_nothing_of_its_holder(ann, browser, old):
    with_address = browser.post(old, {"do": "fresh"})
    Customer.objects.update(email="")
    without = browser.post(old, {"do": "fresh"})
    Customer.objects.all().delete()
    gone = browser.post(old, {"do": "fresh"})

    pages = [with_address, without, gone]
    assert len({(page.status_code, page.content) for page in pages}) == 1
    assert "example.com" not in gone.content.decode()


def test_one_fresh_link_an_hour_is_mailed(ann, browser, old):
    answers = [browser.post(old, {"do": "fresh"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert letters().count() == 1


def test_fresh_link_comes_in_its_holders_language(ann, browser, old):
    Customer.objects.update(locale="de")

    page = browser.post(old, {"do": "fresh"}, headers={"accept-language": "ar"})

    assert letters().get().subject == "Ihre Benachrichtigungen von Acme"
    assert '<html lang="ar" dir="rtl">' in page.content.decode()


def test_dead_address_is_mailed_nothing(ann, browser, old, acme):
    digest = suppressions.address_hash(acme.tenant.id, ann.email)
    suppressions.add(acme.tenant.id, "email", digest, scope=suppressions.EVERYTHING, reason="hard_bounce")

    browser.post(old, {"do": "fresh"})

    assert letters().get().reason == "address_suppressed"


def test_forged_link_has_nothing_mailed(ann, browser, old):
    assert browser.post(old[:-1] + ("A" if old[-1] != "A" else "B"), {"do": "fresh"}).status_code == 404
    assert not letters().exists()
