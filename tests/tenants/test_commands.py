"""What an operator types."""

import json
from datetime import UTC, datetime

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.utils import timezone

from monitoring.models import AuditEntry
from tenants import keys
from tenants.authentication import usable_key
from tenants.models import ApiKey, Tenant
from tenants.scopes import ALL


def printed(capsys, *command, **options) -> str:
    call_command(*command, **options)
    return str(capsys.readouterr().out)


def key_of(raw: str) -> ApiKey:
    """The key that `raw` opens the door with."""
    key = usable_key(raw)
    assert key is not None
    return key


def test_demo_prints_credentials_that_work(db, capsys):
    made = json.loads(printed(capsys, "demo", "--json"))

    assert made.keys() == {"tenant", "api_key", "test_api_key", "admin_username", "admin_password"}
    assert (key_of(made["api_key"]).mode, key_of(made["test_api_key"]).mode) == ("live", "test")
    operator = authenticate(username=made["admin_username"], password=made["admin_password"])
    assert operator is not None
    assert operator.is_superuser


def test_demo_again_makes_no_second_tenant_and_revokes_the_old_keys(db, capsys):
    first = json.loads(printed(capsys, "demo", "--json"))
    second = json.loads(printed(capsys, "demo", "--json"))

    assert Tenant.objects.count() == 1
    assert usable_key(second["api_key"]) is not None
    assert usable_key(first["api_key"]) is None
    assert authenticate(username="admin", password=first["admin_password"]) is None


def test_demo_check_tells_whether_a_key_works(db, capsys):
    made = json.loads(printed(capsys, "demo", "--json"))

    assert printed(capsys, "demo", check=made["test_api_key"]) == "This key works.\n"
    with pytest.raises(CommandError, match="does not work"):
        call_command("demo", check=made["test_api_key"][:-1])


def test_create_tenant_prints_its_first_keys(db, capsys, settings):
    settings.REGISTRATION = "closed"

    lines = printed(capsys, "create_tenant", "Acme", email="ops@acme.test").splitlines()

    assert lines[0].split() == ["tenant", "acme"]
    assert key_of(lines[1].split()[-1]).tenant.slug == "acme"


@pytest.mark.parametrize(("name", "email"), [("", "ops@acme.test"), ("Acme", "ops"), ("x" * 101, "ops@acme.test")])
def test_create_tenant_refuses_what_registration_would(db, name, email):
    with pytest.raises(CommandError):
        call_command("create_tenant", name, email=email)


def test_create_api_key_prints_the_key_alone(acme, capsys):
    raw = printed(capsys, "create_api_key", "acme", mode="test", scopes="read, send").strip()
    key = key_of(raw)

    assert (key.tenant_id, key.mode, key.scopes) == (acme.tenant.id, "test", ["read", "send"])
    by_id = printed(capsys, "create_api_key", str(acme.tenant.id), expires_at="2999-01-01T00:00:00Z").strip()
    assert key_of(by_id).expires_at == datetime(2999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tenant": "acne"}, 'no tenant with the slug or id "acne"'),
        ({"scopes": "sned"}, 'There is no scope "sned"'),
        ({"expires_at": "tomorrow"}, '"tomorrow" is not a future time'),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "is not a future time"),
    ],
)
def test_create_api_key_says_what_is_wrong(acme, options, told):
    with pytest.raises(CommandError, match=told):
        call_command("create_api_key", options.pop("tenant", "acme"), **options)


def test_scope_that_is_new_is_given_to_keys_that_have_all_others(acme, globex, capsys):
    before = [scope for scope in ALL if scope != "privacy"]
    ApiKey.objects.update(scopes=before)
    raw = keys.issue(acme.tenant, "live", name="Reader", scopes=["read"])[1]
    gone = keys.issue(acme.tenant, "live", name="Gone", scopes=before)[0]
    ApiKey.objects.filter(pk=gone.pk).update(revoked_at=timezone.now())

    first, again = (printed(capsys, "grant_scope", "privacy", to_full_keys=True) for _ in range(2))

    assert first.count("has the scope privacy") == 4
    assert again == ""
    assert {tuple(key_of(full).scopes) for full in (acme.api_key, acme.test_api_key, globex.api_key)} == {ALL}
    assert key_of(raw).scopes == ["read"]
    assert set(ApiKey.objects.get(pk=gone.pk).scopes) == set(before)


@pytest.mark.parametrize("spelling", ["{prefix}", "{raw}", "{id}"])
def test_scope_is_given_to_a_key_however_it_is_named(acme, capsys, django_capture_on_commit_callbacks, spelling):
    key, raw = keys.issue(acme.tenant, "live", name="Reader", scopes=["read"])
    assert key_of(raw).scopes == ["read"]
    named = spelling.format(prefix=f"sk_live_{key.public_id}", raw=raw, id=key.pk)

    with django_capture_on_commit_callbacks(execute=True):
        text = printed(capsys, "grant_scope", "privacy", named)

    assert text == f"{key} of acme has the scope privacy\n"
    assert raw not in text
    assert key_of(raw).scopes == ["read", "privacy"]
    entry = AuditEntry.objects.get(action="api_key.scope_granted")
    assert (entry.object_id, list(entry.changes)) == (str(key.pk), ["scopes"])


@pytest.mark.parametrize("named", [["sk_live_0000000000000000"], ["nonsense"], []])
def test_scope_for_a_key_that_is_not_there_is_refused(acme, named):
    with pytest.raises(CommandError, match=r"There is no key|Name keys"):
        call_command("grant_scope", "privacy", *named)
