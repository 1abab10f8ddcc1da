"""API keys: their shape, and what is stored of them."""

import pytest

from tenants import keys
from tenants.models import ApiKey


def test_issue_stores_no_part_of_the_secret_but_its_end(acme):
    key, raw = keys.issue(acme.tenant, "live", name="CI", scopes=["send", "read"])

    stored = ApiKey.objects.get(pk=key.pk)
    secret = raw.split("_", 3)[3]
    assert raw == f"sk_live_{key.public_id}_{secret}"
    assert (len(secret), stored.last_four) == (43, secret[-4:])
    assert secret not in str(vars(stored))
    assert stored.scopes == ["read", "send"]


def test_proves_only_the_very_same_key(acme):
    key, raw = keys.issue(acme.tenant, "test", name="CI", scopes=[])

    assert keys.proves(raw, key)
    assert not keys.proves(raw[:-1] + ("A" if raw[-1] != "A" else "B"), key)
    assert not keys.proves(raw.replace("sk_test_", "sk_live_"), key)
    assert not keys.proves(raw, None)


def test_proves_depends_on_the_pepper(acme, settings):
    key, raw = keys.issue(acme.tenant, "live", name="CI", scopes=[])

    settings.API_KEY_PEPPER = "another"

    assert not keys.proves(raw, key)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "sk_live_",
        "sk_prod_0123456789abcdef_" + "a" * 43,
        "sk_live_0123456789abcdef_" + "a" * 42,
        "sk_live_é",
        "x" * 9999,
    ],
)
def test_public_id_of_what_is_no_key_is_none(raw):
    assert keys.public_id_of(raw) is None


def test_public_id_of_a_secret_with_underscores():
    assert keys.public_id_of("sk_live_0123456789abcdef_" + "_-" * 21 + "_") == "0123456789abcdef"
