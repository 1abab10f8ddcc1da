"""`/v1/preferences/{user_id}/`: sparse choices."""

import pytest

from user_preferences.models import Customer, Preference

PATH = "/v1/preferences/ann/"
CHOSEN = {"channels": {"email": True, "slack": False}, "categories": {"marketing": {"email": False}}}


def choices(answer) -> dict:
    return {name: answer.json()[name] for name in ("channels", "categories")}


def test_put_for_somebody_unknown_makes_a_customer(acme, api):
    answer = api.put(PATH, CHOSEN)

    assert answer.status_code == 200
    assert answer.json() == {"user_id": "ann", "quiet_hours": None, "timezone": None} | CHOSEN
    assert Customer.objects.get().user_id == "ann"
    assert {preference.tenant_id for preference in Preference.objects.all()} == {acme.tenant.id}


def test_get_of_somebody_unknown_is_404_and_makes_nobody(api):
    assert api.get(PATH).status_code == 404
    assert not Customer.objects.exists()


def test_get_of_somebody_who_chose_nothing_is_empty(api):
    api.post("/api/v1/customers/", {"user_id": "ann"})

    assert choices(api.get(PATH)) == {"channels": {}, "categories": {}}


def test_put_replaces_everything(api):
    api.put(PATH, CHOSEN)

    api.put(PATH, {"channels": {"teams": True}})

    assert choices(api.get(PATH)) == {"channels": {"teams": True}, "categories": {}}


def test_patch_merges(api):
    api.put(PATH, CHOSEN)

    answer = api.patch(PATH, {"channels": {"slack": True}, "categories": {"orders": {"email": True}}})

    assert choices(answer) == {
        "channels": {"email": True, "slack": True},
        "categories": {"marketing": {"email": False}, "orders": {"email": True}},
    }
    assert choices(api.get(PATH)) == choices(answer)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"channels": {"slack": None}}, {"channels": {"email": True}, "categories": CHOSEN["categories"]}),
        ({"channels": None}, {"channels": {}, "categories": CHOSEN["categories"]}),
        ({"categories": {"marketing": {"email": None}}}, {"channels": CHOSEN["channels"], "categories": {}}),
        ({"categories": {"marketing": None}}, {"channels": CHOSEN["channels"], "categories": {}}),
        ({"categories": None}, {"channels": CHOSEN["channels"], "categories": {}}),
        ({"channels": None, "categories": None}, {"channels": {}, "categories": {}}),
        ({"categories": {"unheard-of": None}}, CHOSEN),
        ({}, CHOSEN),
    ],
)
def test_patch_with_null_goes_back_to_the_default(api, patch, expected):
    api.put(PATH, CHOSEN)

    assert choices(api.patch(PATH, patch)) == expected
    assert choices(api.get(PATH)) == expected


def test_whole_category_may_be_switched(api):
    answer = api.put(PATH, {"categories": {"marketing": False, "orders": {"*": True, "slack": False}}})

    assert choices(answer)["categories"] == {"marketing": {"*": False}, "orders": {"*": True, "slack": False}}


def test_everything_may_be_switched_off(api):
    assert choices(api.put(PATH, {"channels": {"*": False}}))["channels"] == {"*": False}


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({"chanels": {}}, "#/chanels", 'Did you mean "channels"?'),
        ({"quiet_hours": {}}, "#/quiet_hours/days", "They are required"),
        ({"channels": {"emial": True}}, "#/channels/emial", 'Did you mean "email"?'),
        ({"channels": {"email": "yes"}}, "#/channels/email", '"yes" is not true, false or null.'),
        ({"channels": {"email": 1}}, "#/channels/email", '"1" is not true, false or null.'),
        ({"channels": True}, "#/channels", "must be an object"),
        ({"categories": []}, "#/categories", "must be an object"),
        ({"categories": {"marketing": "no"}}, "#/categories/marketing", "must be an object"),
        ({"categories": {"marketing": {"sms": True}}}, "#/categories/marketing/sms", 'There is no channel "sms".'),
        ({"categories": {"": {"email": True}}}, "#/categories/", "cannot name a category"),
        ({"categories": {"x" * 65: {}}}, "#/categories/" + "x" * 65, "at most 64"),
    ],
)
def test_refusal_names_the_place_and_changes_nothing(api, body, pointer, told):
    answer = api.put(PATH, body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, pointer)
    assert told in f"{error['detail']} {error.get('hint', '')}"
    assert not Customer.objects.exists()


def test_user_id_that_could_not_be_stored_is_refused(api):
    answer = api.put(f"/v1/preferences/{'x' * 129}/", CHOSEN)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_user_id")


def test_choice_made_again_is_not_written_again(api):
    api.put(PATH, CHOSEN)
    before = list(Preference.objects.order_by("id").values("id", "updated_at"))

    api.put(PATH, CHOSEN)

    assert list(Preference.objects.order_by("id").values("id", "updated_at")) == before
