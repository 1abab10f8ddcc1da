"""`/api/v1/customers/`."""

from urllib.parse import quote

import pytest

from tests.conftest import client_with
from user_preferences.models import Customer, Preference

PATH = "/api/v1/customers/"
ANN = {
    "user_id": "ann",
    "name": "Ann",
    "email": "ann@example.com",
    "phone": "+48123456789",
    "addresses": {"slack": "https://hooks.example.com/T/B/abcdWXYZ", "telegram": "12345"},
    "locale": "pl",
    "timezone": "Europe/Warsaw",
    "attributes": {"plan": "gold"},
}


def pointer_of(answer) -> str:
    (error,) = answer.json()["errors"]
    return str(error["pointer"])


def test_create_answers_what_is_stored(api):
    answer = api.post(PATH, ANN)

    body = answer.json()
    assert answer.status_code == 201
    assert {name: body[name] for name in ANN} == ANN
    assert answer["Location"] == f"{PATH}{body['id']}/"
    assert api.get(answer["Location"]).json() == body
    assert api.get(f"{PATH}ann/").json() == body


def test_create_without_a_slash_at_the_end_works(api):
    assert api.post(PATH.rstrip("/"), ANN).status_code == 201


def test_create_of_a_known_user_id_names_it(api):
    api.post(PATH, ANN)

    answer = api.post(PATH, {"external_id": "ann"})

    assert (answer.status_code, answer.json()["code"]) == (409, "customer_exists")
    assert 'user_id "ann"' in answer.json()["detail"]
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("text", ["[]", '"ann"', "7", "null", "", "{"])
def test_create_wants_an_object(api, text):
    answer = api.generic("POST", PATH, text, "application/json")

    assert answer.status_code == 400
    assert not Customer.objects.exists()


@pytest.mark.parametrize("user_id", ["auth0|ann", "org/42/ann", "ann@example.com", "ą ę", "50%", "a?b#c"])
def test_any_user_id_can_be_addressed(api, user_id):
    api.post(PATH, {"user_id": user_id})

    answer = api.get(f"{PATH}{quote(user_id, safe='')}/")

    assert (answer.status_code, answer.json().get("user_id")) == (200, user_id)


def test_put_describes_anew(api):
    api.post(PATH, ANN)

    answer = api.put(f"{PATH}ann/", {"name": "Anna", "addresses": {"telegram": "777"}})

    body = answer.json()
    assert (answer.status_code, body["user_id"], body["name"]) == (200, "ann", "Anna")
    assert (body["email"], body["addresses"], body["attributes"], body["locale"]) == ("", {"telegram": "777"}, {}, "")
    assert Customer.objects.get().email == ""


def test_patch_changes_what_is_said(api):
    api.post(PATH, ANN)

    body = api.patch(
        f"{PATH}ann/", {"name": "Anna", "email": None, "addresses": {"slack": None}, "attributes": {"vip": True}}
    ).json()

    assert (body["name"], body["email"], body["phone"]) == ("Anna", "", "+48123456789")
    assert (body["addresses"], body["attributes"]) == ({"telegram": "12345"}, {"plan": "gold", "vip": True})


def test_patch_with_null_empties_the_whole_field(api):
    api.post(PATH, ANN)

    body = api.patch(f"{PATH}ann/", {"addresses": None, "attributes": None}).json()

    assert (body["addresses"], body["attributes"]) == ({}, {})


def test_user_id_may_be_repeated_but_not_changed(api):
    api.post(PATH, ANN)

    same = api.patch(f"{PATH}ann/", {"user_id": "ann", "name": "Anna"})
    other = api.put(f"{PATH}ann/", {"user_id": "anna"})

    assert same.status_code == 200
    assert (other.status_code, pointer_of(other)) == (400, "#/user_id")
    assert Customer.objects.get().name == "Anna"


def test_refused_change_changes_nothing(api):
    api.post(PATH, ANN)

    answer = api.patch(f"{PATH}ann/", {"name": "Anna", "emial": "x"})

    assert (answer.status_code, pointer_of(answer)) == (400, "#/emial")
    assert answer.json()["errors"][0]["hint"] == 'Did you mean "email"?'
    assert Customer.objects.get().name == "Ann"


def test_delete_forgets_customer_and_choices(api):
    api.post(PATH, ANN)
    api.put("/v1/preferences/ann/", {"channels": {"email": False}})

    answer = api.delete(f"{PATH}ann/")

    assert (answer.status_code, api.get(f"{PATH}ann/").status_code) == (204, 404)
    assert not Preference.objects.exists()


def test_list_is_paged_newest_first(api):
    for n in range(5):
        api.post(PATH, {"user_id": f"u{n}"})

    first = api.get(PATH, {"limit": 2}).json()
    second = api.get(PATH, {"limit": 3, "cursor": first["next_cursor"]}).json()

    assert [c["user_id"] for c in first["data"] + second["data"]] == ["u4", "u3", "u2", "u1", "u0"]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


def test_another_tenants_customers_do_not_exist(api, globex):
    theirs = client_with(globex.api_key)
    customer = theirs.post(PATH, ANN).json()
    theirs.post(PATH, {"user_id": "ben"})
    cursor = theirs.get(PATH, {"limit": 1}).json()["next_cursor"]

    for key in ("ann", customer["id"]):
        answers = [
            api.get(f"{PATH}{key}/"),
            api.put(f"{PATH}{key}/", {"name": "Mine"}),
            api.patch(f"{PATH}{key}/", {"name": "Mine"}),
            api.delete(f"{PATH}{key}/"),
            api.get(f"/v1/preferences/{key}/"),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 5
    assert api.get(PATH).json()["data"] == []
    assert api.get(PATH, {"cursor": cursor}).json()["code"] == "invalid_cursor"
    assert theirs.get(f"{PATH}ann/").json()["name"] == "Ann"


def test_addresses_are_masked_without_the_scope_pii(api, api_with):
    api.post(PATH, ANN)
    reader = api_with("read", "customers")

    body = reader.get(f"{PATH}ann/").json()

    assert (body["email"], body["phone"]) == ("a•••@example.com", "•••6789")
    assert body["addresses"] == {"slack": "https://hooks.example.com/•••WXYZ", "telegram": "•••"}
    assert reader.get(PATH).json()["data"] == [body]
    assert reader.patch(f"{PATH}ann/", {"name": "Anna"}).json()["email"] == "a•••@example.com"


def test_masked_addresses_sent_back_are_refused(api, api_with):
    api.post(PATH, ANN)
    reader = api_with("read", "customers")
    seen = reader.get(f"{PATH}ann/").json()

    answer = reader.put(f"{PATH}ann/", {name: seen[name] for name in ("email", "phone", "addresses")})

    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 4
    assert Customer.objects.get().email == "ann@example.com"


def test_batch_judges_each_alone(api):
    api.post(PATH, ANN)
    items = [
        {"user_id": "ann", "name": "Anna"},
        {"user_id": "ben"},
        {"user_id": "cat", "emial": "x"},
        "dan",
        {"user_id": "ben"},
    ]

    answer = api.post(f"{PATH}batch/", {"customers": items})

    results = answer.json()["results"]
    assert answer.status_code == 200
    assert [(r["index"], r["status"], r.get("user_id")) for r in results] == [
        (0, "updated", "ann"),
        (1, "created", "ben"),
        (2, "rejected", None),
        (3, "rejected", None),
        (4, "created", "ben"),
    ]
    assert results[2]["problem"]["errors"][0]["hint"] == 'Did you mean "email"?'
    assert results[1]["id"] == results[4]["id"] == api.get(f"{PATH}ben/").json()["id"]
    assert Customer.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/customers"),
        ({"customers": []}, "#/customers"),
        ({"customers": {}}, "#/customers"),
        ({"customers": [{"user_id": str(n)} for n in range(1_001)]}, "#/customers"),
        ({"costumers": [ANN]}, "#/costumers"),
    ],
)
def test_batch_that_is_none_is_refused(api, body, pointer):
    answer = api.post(f"{PATH}batch/", body)

    assert (answer.status_code, pointer_of(answer)) == (400, pointer)


def test_batch_of_a_thousand_is_stored(api):
    answer = api.post(f"{PATH}batch/", {"customers": [ANN | {"user_id": f"u{n}"} for n in range(1_000)]})

    assert {result["status"] for result in answer.json()["results"]} == {"created"}
    assert Customer.objects.count() == 1_000
