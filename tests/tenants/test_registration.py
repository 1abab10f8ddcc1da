"""`POST /v1/tenants/register/` and `/v1/tenants/me/`."""

import pytest

from tenants import integrations, scopes
from tenants.authentication import usable_key
from tenants.models import Tenant
from tests.conftest import client_with

PATH = "/v1/tenants/register/"
ACME = {"name": "Acme GmbH", "email": "ops@acme.test"}


@pytest.fixture
def stranger(db, settings):
    """A client without a key, where registration is open."""
    settings.REGISTRATION = "open"
    return client_with("")


def test_register_answers_keys_that_work(stranger):
    answer = stranger.post(PATH, ACME)

    body = answer.json()
    tenant = body["tenant"]
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert (tenant["name"], tenant["slug"], tenant["is_active"]) == ("Acme GmbH", "acme-gmbh", True)
    for name, mode in (("api_key", "live"), ("test_api_key", "test")):
        key = usable_key(body[name])
        assert key is not None
        assert body[name].startswith(f"sk_{mode}_")
        assert (str(key.tenant_id), key.mode, key.scopes) == (tenant["id"], mode, list(scopes.ALL))


def test_register_makes_the_webhook_integration_that_signs(stranger):
    body = stranger.post(PATH, ACME).json()

    tenant = Tenant.objects.get(pk=body["tenant"]["id"])
    config = integrations.default_integrations({tenant.id}, "webhook")[tenant.id]
    assert config.values == {"secret": body["webhook_secret"]}


def test_register_a_second_tenant_of_a_name_gets_a_slug_of_its_own(stranger):
    slugs = [stranger.post(PATH, ACME).json()["tenant"]["slug"] for _ in range(3)]

    assert slugs[0] == "acme-gmbh"
    assert len(set(slugs)) == 3
    assert all(slug.startswith("acme-gmbh") for slug in slugs)


@pytest.mark.parametrize(("name", "slug"), [("Łódź & Söhne", "odz-sohne"), ("株式会社", "tenant"), ("---", "tenant")])
def test_register_makes_a_slug_of_any_name(stranger, name, slug):
    assert stranger.post(PATH, ACME | {"name": name}).json()["tenant"]["slug"] == slug


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({"name": "Acme"}, "#/email", "It is required: whom to write to about this tenant."),
        ({"email": "ops@acme.test"}, "#/name", "It is required: what this tenant is called."),
        (ACME | {"email": "ops@"}, "#/email", '"ops@" is not an e-mail address'),
        (ACME | {"email": "a@b.test\r\nBcc: c@d.test"}, "#/email", "line break"),
        (ACME | {"name": "x" * 101}, "#/name", "It has 101 characters; at most 100 fit."),
        (ACME | {"name": " "}, "#/name", "blank"),
        (ACME | {"name": 7}, "#/name", '"7" is not a text'),
        (ACME | {"nmae": "x"}, "#/nmae", 'Did you mean "name"?'),
        (ACME | {"is_active": False}, "#/is_active", 'There is no field "is_active".'),
        ([], "#", "dictionary"),
    ],
)
def test_register_says_what_is_wrong(stranger, body, pointer, told):
    answer = stranger.post(PATH, body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, pointer)
    assert told in error["detail"]
    assert not Tenant.objects.exists()


@pytest.mark.parametrize(
    ("mode", "token", "status", "code"),
    [
        ("closed", "right", 403, "registration_closed"),
        ("token", "", 403, "registration_token_invalid"),
        ("token", "wrong", 403, "registration_token_invalid"),
        ("token", "right", 201, None),
        ("open", "", 201, None),
    ],
)
def test_register_is_for_whom_the_operator_lets_in(stranger, settings, mode, token, status, code):
    settings.REGISTRATION, settings.REGISTRATION_TOKEN = mode, "right"

    answer = stranger.post(PATH, ACME, headers={"X-Registration-Token": token})

    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert Tenant.objects.exists() == (status == 201)


def test_register_with_an_unset_token_lets_nobody_in(stranger, settings):
    settings.REGISTRATION, settings.REGISTRATION_TOKEN = "token", ""

    assert stranger.post(PATH, ACME, headers={"X-Registration-Token": ""}).status_code == 403


def test_me_shows_limits_usage_and_the_calling_key(acme, api):
    body = api.get("/v1/tenants/me/").json()

    assert (body["name"], body["slug"], body["email"]) == ("Acme", "acme", "ops@acme.test")
    assert (body["api_key"]["mode"], body["api_key"]["name"]) == ("live", "First live key")
    assert body["usage"] == {"api_keys": 2, "integrations": 1, "customers": 0}
    assert body["limits"]["batch_items"] == 1_000


def test_me_masks_the_address_without_the_scope_pii(api_with):
    assert api_with("read").get("/v1/tenants/me/").json()["email"] == "o•••@acme.test"


def test_me_patch_merges_channel_defaults(acme, api):
    api.patch("/v1/tenants/me/", {"channel_defaults": {"slack": False, "teams": False}})

    answer = api.patch("/v1/tenants/me/", {"name": "Acme AG", "channel_defaults": {"slack": None, "email": True}})

    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["channel_defaults"]) == ("Acme AG", {"teams": False, "email": True})
    assert Tenant.objects.get(pk=acme.tenant.pk).email == "ops@acme.test"


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({"channel_defaults": {"slak": True}}, "#/channel_defaults/slak", 'Did you mean "slack"?'),
        ({"channel_defaults": {"slack": "off"}}, "#/channel_defaults/slack", '"off" is not true, false or null.'),
        ({"channel_defaults": True}, "#/channel_defaults", "It must be an object"),
        ({"slug": "evil"}, "#/slug", 'There is no field "slug".'),
    ],
)
def test_me_patch_says_what_is_wrong(api, body, pointer, told):
    answer = api.patch("/v1/tenants/me/", body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, pointer)
    assert told in error["detail"]
