"""`/v1/api-keys/`: making and revoking keys without giving away more than one has."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tenants import keys
from tenants.authentication import usable_key
from tenants.models import ApiKey
from tests.conftest import client_with

PATH = "/v1/api-keys/"


def path_of(raw: str) -> str:
    return f"{PATH}{ApiKey.objects.get(public_id=keys.public_id_of(raw)).pk}/"


def test_create_shows_the_raw_key_once(api):
    answer = api.post(PATH, {"name": "CI", "scopes": ["customers", "send", "send"]})

    body = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert (body["name"], body["mode"], body["scopes"]) == ("CI", "live", ["send", "customers"])
    assert usable_key(body["api_key"]) is not None
    assert "api_key" not in api.get(answer["Location"]).json()
    assert body["api_key"].split("_", 3)[3] not in api.get(PATH).content.decode()


def test_create_gives_the_least_when_nothing_is_asked_for(api):
    assert api.post(PATH, {"name": "CI"}).json()["scopes"] == ["read", "send"]


def test_create_takes_the_mode_of_the_calling_key(acme):
    assert client_with(acme.test_api_key).post(PATH, {"name": "CI"}).json()["mode"] == "test"


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({}, "#/name", "required"),
        ({"name": "CI", "mode": "prod"}, "#/mode", '"prod" is not a valid choice'),
        ({"name": "CI", "scopes": ["sned"]}, "#/scopes", 'There is no scope "sned". Did you mean "send"?'),
        ({"name": "CI", "scopes": []}, "#/scopes", "empty"),
        ({"name": "CI", "expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at", "is in the past"),
        ({"name": "CI", "tenant": "x"}, "#/tenant", 'There is no field "tenant".'),
    ],
)
def test_create_says_what_is_wrong(api, body, pointer, told):
    answer = api.post(PATH, body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, pointer)
    assert told in error["detail"]


def test_create_gives_no_scope_that_the_calling_key_lacks(api_with):
    answer = api_with("admin", "send").post(PATH, {"name": "CI", "scopes": ["send", "pii"]})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "scope_not_held"


def test_test_keys_neither_make_nor_revoke_live_ones(acme):
    api = client_with(acme.test_api_key)

    made = api.post(PATH, {"name": "CI", "mode": "live"})
    revoked = api.delete(path_of(acme.api_key))

    assert [(answer.status_code, answer.json()["code"]) for answer in (made, revoked)] == [(403, "live_key_needed")] * 2
    assert usable_key(acme.api_key) is not None


def test_two_live_keys_overlap_while_rotating(acme, api):
    fresh = api.post(PATH, {"name": "Next", "scopes": ["read", "admin"]}).json()["api_key"]
    both_work = all(usable_key(raw) for raw in (acme.api_key, fresh))

    answer = client_with(fresh).delete(path_of(acme.api_key))

    assert both_work
    assert answer.status_code == 204
    assert ApiKey.objects.get(public_id=keys.public_id_of(acme.api_key)).revoked_at is not None


def test_revoking_twice_keeps_the_first_time(acme, api):
    path = path_of(acme.test_api_key)
    api.delete(path)
    first = api.get(path).json()["revoked_at"]

    answer = api.delete(path)

    assert (answer.status_code, api.get(path).json()["revoked_at"]) == (204, first)


def test_last_live_admin_key_cannot_be_revoked(acme, api):
    keys.issue(acme.tenant, "live", name="No admin", scopes=["read", "send"])
    keys.issue(acme.tenant, "live", name="Over", scopes=["admin"], expires_at=timezone.now() - timedelta(days=1))

    answer = api.delete(path_of(acme.api_key))

    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin_key")
    assert usable_key(acme.api_key) is not None


def test_another_tenants_key_does_not_exist(api, globex):
    path = path_of(globex.api_key)

    assert [api.get(path).status_code, api.delete(path).status_code] == [404, 404]
    assert usable_key(globex.api_key) is not None


def test_list_is_paged_newest_first_and_own(acme, api, globex):
    for n in range(3):
        keys.issue(acme.tenant, "live", name=f"Key {n}", scopes=[])

    first = api.get(PATH, {"limit": 2})
    second = api.get(first["Link"].partition(">")[0].lstrip("<"))

    names = [key["name"] for page in (first, second) for key in page.json()["data"]]
    assert names == ["Key 2", "Key 1", "Key 0", "First test key"]
    assert (first.json()["has_more"], second.json()["has_more"]) == (True, True)
