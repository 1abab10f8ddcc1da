"""The consent log: what was chosen, by what; never changed, and gone with the customer."""

import pytest
from django.db import DatabaseError, transaction

from user_preferences import consent_log, customers, people, preferences, unsubscribing
from user_preferences.consent_log import Voice
from user_preferences.models import ConsentEntry, Customer, Preference
from user_preferences.preferences import Edit

PAGE = Voice(Preference.Source.PREFERENCE_PAGE, ip_hash="a1", text_version="en-1")


@pytest.fixture
def ann(acme):
    return Customer.objects.create(tenant=acme.tenant, user_id="ann", email="ann@example.com")


def said(customer):
    return [
        (entry["category"], entry["channel"], entry["is_enabled"], entry["source"])
        for entry in consent_log.entries_of(customer.id)
    ]


def test_changes_are_noted_and_what_stays_is_not(ann):
    preferences.change(ann, Edit({("news", "email"): False, ("", "slack"): True}))
    preferences.change(ann, Edit({("news", "email"): False, ("", "slack"): False}), voice=PAGE)

    assert said(ann) == [
        ("news", "email", False, "api"), ("", "slack", True, "api"), ("", "slack", False, "preference_page"),
    ]  # fmt: skip
    assert Preference.objects.get(channel="slack").source == "preference_page"


def test_choice_taken_back_is_neither_on_nor_off(ann):
    preferences.change(ann, Edit({("news", "email"): False}))
    preferences.change(ann, Edit({("news", "email"): None}))

    assert said(ann)[-1] == ("news", "email", None, "api")


def test_quiet_hours_are_noted_when_they_change(ann):
    hours = {"enabled": True, "days": {"mon": [["22:00", "07:00"]]}}
    for _ in range(2):
        preferences.change(ann, Edit(quiet_hours=hours, names_quiet_hours=True), voice=PAGE)

    (entry,) = consent_log.entries_of(ann.id)
    assert (entry["is_about_quiet_hours"], entry["quiet_hours"], entry["is_enabled"]) == (True, hours, None)
    assert (entry["by"], entry["ip_hash"], entry["text_version"]) == ("recipient", "a1", "en-1")


def test_unsubscribing_and_taking_it_back_are_both_noted(ann, acme):
    who = acme.tenant.id, ann.id
    assert unsubscribing.unsubscribe(*who, category="news", channel="email")
    assert unsubscribing.undo(*who, category="news", channel="email")
    assert not unsubscribing.undo(*who, category="news", channel="email")

    assert said(ann) == [("news", "email", False, "unsubscribe_link"), ("news", "email", None, "unsubscribe_link")]
    assert not Preference.objects.exists()


def test_undo_leaves_what_was_chosen_elsewhere(ann, acme):
    preferences.change(ann, Edit({("news", "email"): False}))

    assert not unsubscribing.undo(acme.tenant.id, ann.id, category="news", channel="email")
    assert Preference.objects.get().is_enabled is False


def test_api_key_is_named_as_who_chose(api, ann):
    api.patch("/v1/preferences/ann/", {"channels": {"email": False}})

    entry = ConsentEntry.objects.get()
    assert (entry.actor_kind, entry.ip_hash, entry.source) == ("api_key", "", "api")
    assert entry.actor_id


def test_entry_cannot_be_changed_even_by_hand(ann):
    preferences.change(ann, Edit({("news", "email"): False}))

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ConsentEntry.objects.update(is_enabled=True)


def test_log_is_in_the_export_and_goes_with_the_customer(ann, acme):
    preferences.change(ann, Edit({("news", "email"): False}), voice=PAGE)
    person, _ = people.find(acme.tenant, user_id="ann", address="", until=ann.created_at)
    exported = [row for kind, row in people.export(person) if kind == "consent"]

    customers.remove(ann)

    assert [(row["category"], row["is_enabled"], row["source"]) for row in exported] == [
        ("news", False, "preference_page")
    ]
    assert not ConsentEntry.objects.exists()
