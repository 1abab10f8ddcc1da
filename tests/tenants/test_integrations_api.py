"""`/v1/integrations/`: what a tenant may set, what is refused, and that no secret comes back."""

import base64

import pytest

from tenants import integrations
from tenants.models import Integration

PATH = "/v1/integrations/"
HOOK = "https://hooks.example.com/services/T000/B000/XXXXabcd"
SMTP = {"host": "mx.acme.test", "port": 587, "username": "acme", "password": "correct horse", "use_tls": True}


def of(answer) -> Integration:
    return Integration.objects.get(pk=answer.json()["id"])


def test_create_answers_without_the_secret(api):
    answer = api.post(PATH, {"channel": "slack", "provider": "webhook", "config": {"url": HOOK}, "is_default": True})

    body = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"{PATH}{body['id']}/")
    assert (body["config"], body["secrets"], body["is_default"]) == ({}, {"url": "…abcd"}, True)
    assert "B000" not in answer.content.decode()
    assert "B000" not in api.get(answer["Location"]).content.decode()
    assert "B000" not in api.get(PATH).content.decode()
    assert integrations.opened(of(answer)).values == {"url": HOOK}


def test_create_takes_the_channels_only_provider_when_none_is_named(api):
    answer = api.post(PATH, {"channel": "email", "config": SMTP})

    assert answer.json()["provider"] == "smtp"
    assert answer.json()["config"] == {name: value for name, value in SMTP.items() if name != "password"}


@pytest.mark.parametrize(
    ("channel", "config", "pointer", "told"),
    [
        ("email", {}, "#/config/host", "smtp cannot do without host"),
        ("email", {"hots": "mx.acme.test", "host": "mx.acme.test"}, "#/config/hots", 'Did you mean "host"?'),
        ("email", {"host": "https://mx.acme.test"}, "#/config/host", "is not a host name"),
        ("email", {"host": "mx.acme.test", "port": "587"}, "#/config/port", '"587" is not a port'),
        ("email", {"host": "mx.acme.test", "port": 70_000}, "#/config/port", '"70000" is not a port'),
        ("email", {"host": "mx.acme.test", "use_tls": "yes"}, "#/config/use_tls", '"yes" is neither true nor false'),
        ("email", {"host": "m", "use_tls": True, "use_ssl": True}, "#/config/use_ssl", "exclude each other"),
        ("email", {"host": "m", "from_email": "Acme"}, "#/config/from_email", '"Acme" is not a sender'),
        ("email", {"host": "m", "username": "a\r\nb"}, "#/config/username", "line break"),
        ("slack", {"url": "hooks.example.com"}, "#/config/url", "This is not a URL"),
        ("slack", {"url": "https://me:pw@example.com/"}, "#/config/url", "may not have a user name"),
        ("teams", {"url": "ftp://example.com/x"}, "#/config/url", "is not a URL"),
        ("telegram", {"bot_token": "a/../b"}, "#/config/bot_token", "not a bot token"),
        ("telegram", {"bot_token": "1:abc", "base_url": "http://evil.test"}, "#/config/base_url", "There is no field"),
        ("telegram", {"bot_token": "1:abc", "chat_id": "my chat"}, "#/config/chat_id", "is not a Telegram chat"),
        ("webhook", {"secret": "whsec_AAAA"}, "#/config/secret", "24 to 64 random bytes"),
        ("webhook", {"secret": "hunter2"}, "#/config/secret", "24 to 64 random bytes"),
        ("webhook", {"headers": "Authorization"}, "#/config/headers", "one a line"),
        ("webhook", {"headers": "Host: evil.test"}, "#/config/headers", '"Host" is set by'),
        ("webhook", {"headers": ["A: b"]}, "#/config/headers", "not a text"),
    ],
)
def test_create_refuses_a_config_that_would_not_work(api, channel, config, pointer, told):
    answer = api.post(PATH, {"channel": channel, "config": config})

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "validation_error")
    (error,) = problem["errors"]
    assert error["pointer"] == pointer
    assert told in f"{error['detail']} {error.get('hint', '')}"
    assert "hunter2" not in answer.content.decode()


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({"channel": "slak", "config": {}}, "#/channel", 'Did you mean "slack"?'),
        ({"channel": "in_app", "config": {}}, "#/channel", 'There is no channel "in_app".'),
        ({"channel": "slack", "provider": "webhok", "config": {}}, "#/provider", 'Did you mean "webhook"?'),
        ({"channel": "slack", "confg": {}}, "#/confg", 'Did you mean "config"?'),
        ({"channel": "slack", "config": []}, "#/config", "dictionary"),
        ({}, "#/channel", "required"),
    ],
)
def test_create_refuses_what_it_does_not_know(api, body, pointer, told):
    answer = api.post(PATH, body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, pointer)
    assert told in error["detail"]


def test_webhook_secret_is_made_and_shown_once(api):
    answer = api.post(PATH, {"channel": "webhook", "config": {"url": "https://example.com/in"}})

    secret = answer.json()["secret"]
    assert integrations.opened(of(answer)).values == {"url": "https://example.com/in", "secret": secret}
    assert "secret" not in api.get(answer["Location"]).json()


def test_webhook_secret_of_the_tenants_own_is_taken(api):
    own = "whsec_" + base64.b64encode(bytes(range(24))).decode()

    answer = api.post(PATH, {"channel": "webhook", "config": {"secret": own}})

    assert "secret" not in answer.json()
    assert integrations.opened(of(answer)).values == {"secret": own}


def test_patch_merges_the_config_and_resumes(api):
    created = api.post(PATH, {"channel": "email", "config": SMTP})
    integrations.pause(of(created).id, "535 authentication failed")

    answer = api.patch(created["Location"], {"config": {"password": "new password", "port": None}, "name": "Mail"})

    body = answer.json()
    assert (answer.status_code, body["paused_at"], body["paused_reason"]) == (200, None, None)
    assert (body["name"], body["secrets"]) == ("Mail", {"password": "…word"})
    opened = integrations.opened(of(created))
    assert opened.values == {"host": "mx.acme.test", "username": "acme", "use_tls": "true", "password": "new password"}


def test_patch_without_a_config_keeps_the_values(api):
    created = api.post(PATH, {"channel": "email", "config": SMTP})

    api.patch(created["Location"], {"is_active": False})

    assert integrations.opened(of(created)).values["password"] == "correct horse"
    assert not of(created).is_active


def test_patch_cannot_take_away_what_is_needed(api):
    created = api.post(PATH, {"channel": "slack", "config": {"url": HOOK}})

    answer = api.patch(created["Location"], {"config": {"url": None}})

    assert answer.json()["errors"][0]["code"] == "required"
    assert integrations.opened(of(created)).values == {"url": HOOK}


def test_patch_to_default_takes_the_place_of_the_other(api):
    first = api.post(PATH, {"channel": "slack", "config": {"url": HOOK}})
    second = api.post(PATH, {"channel": "slack", "config": {"url": HOOK}, "is_default": False})

    api.patch(second["Location"], {"is_default": True})

    assert (of(first).is_default, of(second).is_default) == (False, True)


def test_patch_mends_an_integration_whose_key_is_gone(api):
    created = api.post(PATH, {"channel": "slack", "config": {"url": HOOK}})
    Integration.objects.filter(pk=of(created).pk).update(sealed="gone:AAAA")

    answer = api.patch(created["Location"], {"config": {"url": HOOK + "2"}})

    assert answer.status_code == 200
    assert integrations.opened(of(created)).values == {"url": HOOK + "2"}


def test_delete_removes_it(api):
    created = api.post(PATH, {"channel": "slack", "config": {"url": HOOK}})

    assert api.delete(created["Location"]).status_code == 204
    assert api.get(created["Location"]).status_code == 404
