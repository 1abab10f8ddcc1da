"""Reading customers and choices."""

import pytest

from traffic_control.ids import uuid7
from user_preferences import customers, preferences, selectors
from user_preferences.customers import RecipientInput
from user_preferences.policy import Choices
from user_preferences.preferences import Edit


def choose(tenant, user_id, **channels):
    edit = Edit({("", channel): is_on for channel, is_on in channels.items()})
    return preferences.choose(tenant, user_id, edit, is_patch=True)


def test_all_after_walks_through_everybody_once(acme, globex):
    customers.upsert(acme.tenant, [RecipientInput(f"u{n}") for n in range(5)])
    customers.upsert(globex.tenant, [RecipientInput("theirs")])

    seen, cursor = [], None
    while page := selectors.all_after(acme.tenant.id, cursor, 2):
        seen += [customer.user_id for customer in page]
        cursor = page[-1].id

    assert sorted(seen) == [f"u{n}" for n in range(5)]


def test_choices_of_many_take_one_query(acme, django_assert_num_queries):
    ann, ben = choose(acme.tenant, "ann", email=True, slack=False), choose(acme.tenant, "ben", teams=True)
    silent = customers.upsert(acme.tenant, [RecipientInput("cat")])["cat"]

    with django_assert_num_queries(1):
        found = selectors.choices_of([ann.id, ben.id, silent.id])

    assert found == {
        ann.id: Choices({("", "email"): True, ("", "slack"): False}),
        ben.id: Choices({("", "teams"): True}),
    }


def test_choices_about_some_channels_are_those_and_the_ones_about_all(acme):
    ann = choose(acme.tenant, "ann", email=True, slack=False)
    preferences.choose(acme.tenant, "ann", Edit({("orders", ""): False}), is_patch=True)

    found = selectors.choices_of([ann.id], channels=["email", "teams"])

    assert found == {ann.id: Choices({("", "email"): True, ("orders", ""): False})}


def test_choices_that_are_alike_are_one_object(acme):
    people = [choose(acme.tenant, name, email=True, slack=False) for name in ("ann", "ben")]
    other = choose(acme.tenant, "cat", email=False)

    found = selectors.choices_of([*(p.id for p in people), other.id])

    assert found[people[0].id] is found[people[1].id]
    assert found[other.id] is not found[people[0].id]


def test_by_user_ids_of_more_than_a_statement_takes(acme, monkeypatch):
    monkeypatch.setattr(selectors, "CHUNK", 2)
    customers.upsert(acme.tenant, [RecipientInput(f"u{n}") for n in range(5)])

    assert set(selectors.by_user_ids(acme.tenant.id, {f"u{n}" for n in range(9)})) == {f"u{n}" for n in range(5)}


def test_find_knows_our_id_and_the_tenants(acme, globex):
    ann = customers.upsert(acme.tenant, [RecipientInput("ann")])["ann"]
    lookalike = customers.upsert(acme.tenant, [RecipientInput(str(ann.id))])[str(ann.id)]

    assert selectors.find(acme.tenant, "ann") == ann
    assert selectors.find(acme.tenant, str(ann.id)) == ann
    assert selectors.find(acme.tenant, str(lookalike.id)) == lookalike
    assert selectors.find(acme.tenant, str(uuid7())) is None
    assert selectors.find(globex.tenant, str(ann.id)) is None


@pytest.mark.parametrize(
    ("channel", "chosen", "expected"),
    [
        ("email", None, True),
        ("email", False, False),
        ("slack", None, False),
        ("slack", True, True),
        ("in_app", None, True),
    ],
)
def test_check_preference_follows_choice_then_default(acme, channel, chosen, expected):
    if chosen is not None:
        choose(acme.tenant, "ann", **{channel: chosen})

    assert selectors.check_preference("ann", channel, tenant=acme.tenant) is expected


def test_check_preference_asks_category_tenant_and_address(acme):
    edit = Edit({("marketing", "email"): False})
    preferences.choose(acme.tenant, "ann", edit, is_patch=True)
    customers.upsert(acme.tenant, [RecipientInput("ann", addresses={"telegram": "1234"})])
    acme.tenant.channel_defaults = {"in_app": False}

    def wants(channel, category=""):
        return selectors.check_preference("ann", channel, tenant=acme.tenant, category=category)

    assert (wants("email"), wants("email", "marketing")) == (True, False)
    assert (wants("telegram"), wants("teams"), wants("in_app")) == (True, False, False)
