"""The page behind a mail's unsubscribe link, as somebody who opens it has it."""

import pytest

from delivery_gateway import suppressions
from monitoring.models import AuditEntry
from notification_processor.unsubscribing import texts
from tests.flow.unsubscribing.mail import link_in, notify, press, status_of
from user_preferences.models import ConsentEntry, Customer, Preference


def test_looking_changes_nothing_and_shows_a_page_that_needs_no_script(live, mailbox, ann, browser):
    notify(live, to=None, user_id="ann")
    link = link_in(mailbox.received[0])

    for look in (browser.get, browser.head, browser.options, browser.get):
        look(link, headers={"user-agent": "Slackbot-LinkExpanding 1.0"})
    page = browser.get(link)

    assert page.status_code == 200
    text = page.content.decode()
    assert all(word in text for word in ("Acme", "news", "a•••@example.com", '<form method="post">'))
    assert "ann@example.com" not in text
    assert "<script" not in text
    assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert (page["Referrer-Policy"], page["Cache-Control"]) == ("no-referrer", "no-store")
    assert not Preference.objects.exists()
    assert status_of(live, notify(live, to=None, user_id="ann")) == ("sent", None)


def test_button_of_the_page_unsubscribes(live, mailbox, browser):
    notify(live)
    page = browser.post(link_in(mailbox.received[0]), {"confirm": "yes"})

    assert (page.status_code, "You are unsubscribed" in page.content.decode()) == (200, True)
    assert status_of(live, notify(live)) == ("suppressed", "address_suppressed")


@pytest.mark.parametrize(
    ("locale", "accepts", "said"),
    [
        ("de-AT", "ar", "Abmelden?"),
        ("", "fr, de;q=0.5", "Abmelden?"),
        ("", "fr", "Unsubscribe?"),
        ("ar", "", '<html lang="ar" dir="rtl">'),
    ],
)
def test_page_speaks_the_customers_language(live, mailbox, ann, browser, locale, accepts, said):
    Customer.objects.update(locale=locale)
    notify(live, to=None, user_id="ann")

    page = browser.get(link_in(mailbox.received[0]), headers={"accept-language": accepts})

    assert said in page.content.decode()


def test_link_that_does_not_work_is_told_in_the_browsers_language(db, browser):
    assert "Dieser Link funktioniert nicht" in browser.get("/u/x", headers={"accept-language": "de"}).content.decode()


def test_languages_of_the_page_have_the_same_words():
    assert {language: sorted(words) for language, words in texts.LANGUAGES.items()} == dict.fromkeys(
        texts.LANGUAGES, sorted(texts.ENGLISH)
    )


def test_words_that_were_seen_are_noted_and_none_of_a_mail_programs_post(live, mailbox, ann, browser):
    notify(live, to=None, user_id="ann")
    link = link_in(mailbox.received[0])
    press(browser, link)
    browser.post(link, {"undo": "yes"})
    browser.post(link, {"confirm": "yes"}, headers={"accept-language": "de"})

    entries = ConsentEntry.objects.order_by("id").values_list("is_enabled", "text_version", "ip_hash")
    by_program, undone, by_hand = entries
    assert by_program == (False, "", "")
    assert (undone[0], undone[1].startswith("en-"), len(undone[2])) == (None, True, 32)
    assert (by_hand[0], by_hand[1].startswith("de-"), len(by_hand[2])) == (False, True, 32)


@pytest.mark.parametrize("to", [{"to": None, "user_id": "ann"}, {}])
def test_undo_takes_back_what_the_button_did(live, mailbox, ann, browser, to):
    notify(live, **to)
    link = link_in(mailbox.received[0])
    page = browser.post(link, {"confirm": "yes"})
    assert 'name="undo"' in page.content.decode()

    answers = [browser.post(link, {"undo": "yes"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert status_of(live, notify(live, **to)) == ("sent", None)
    assert AuditEntry.objects.filter(action__endswith="undone").count() == 1


def test_undo_of_a_link_takes_back_nothing_else(live, mailbox, browser, acme):
    notify(live)
    digest = suppressions.address_hash(acme.tenant.id, "bob@example.com")
    suppressions.add(acme.tenant.id, "email", digest, scope="news", reason="complaint")

    browser.post(link_in(mailbox.received[0]), {"undo": "yes"})

    assert status_of(live, notify(live)) == ("suppressed", "address_suppressed")


def test_words_of_tenants_are_text_on_the_page(live, mailbox, browser):
    notify(live, category="<script>alert(1)</script>")

    page = browser.get(link_in(mailbox.received[0])).content.decode()

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
