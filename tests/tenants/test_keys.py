"""API keys: their shape, and what is stored of them."""

import re

import pytest

from tenants import keys
from tenants.authentication import usable_key
from tenants.checksum import checksum_of
from tenants.models import ApiKey
from tests.conftest import client_with
from traffic_control.settings import BASE_DIR


def test_issue_stores_no_part_of_the_secret_but_its_end(acme):
    key, raw = keys.issue(acme.tenant, "live", name="CI", scopes=["send", "read"])

    stored = ApiKey.objects.get(pk=key.pk)
    secret = raw.split("_", 3)[3]
    assert raw == f"sk_live_{key.public_id}_{secret}"
    assert (len(secret), stored.last_four) == (43 + 6, secret[-4:])
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
        "sk_live_0123456789abcdef_" + "a" * 44,
        "sk_live_0123456789abcdef_" + "a" * 43 + "000000",
        "sk_live_é",
        "x" * 9999,
    ],
)
def test_public_id_of_what_is_no_key_is_none(raw):
    assert keys.public_id_of(raw) is None


def test_public_id_of_a_secret_with_underscores():
    assert keys.public_id_of("sk_live_0123456789abcdef_" + "_-" * 21 + "_") == "0123456789abcdef"


def test_checksum_is_a_crc_in_base_62():
    """Worked out by hand: the check value of CRC-32 is 0xCBF43926."""
    assert checksum_of("123456789") == "3jZRME"
    assert checksum_of("") == "000000"


def test_any_slip_of_the_pen_is_noticed(acme):
    _, raw = keys.issue(acme.tenant, "live", name="CI", scopes=[])
    swapped = {"0": "1"}

    slips = [f"{raw[:n]}{swapped.get(raw[n], '0')}{raw[n + 1 :]}" for n in range(len("sk_live_"), len(raw))]

    assert keys.public_id_of(raw) is not None
    assert [slip for slip in slips if keys.public_id_of(slip)] == []


def test_key_from_before_there_were_checksums_still_works(acme):
    key, raw = keys.issue(acme.tenant, "live", name="Old", scopes=["read"])
    old = raw[:-6]
    ApiKey.objects.filter(pk=key.pk).update(secret_hash=keys.hash_of(old), last_four=old[-4:])

    assert (usable_key(old), usable_key(raw)) == (key, None)
    assert client_with(old).get("/v1/tenants/me/").status_code == 200


def test_documented_expression_finds_keys_and_nothing_else(acme):
    (expression,) = re.findall(r"`(\\b.*?)`", (BASE_DIR / "docs/security.md").read_text())
    raw = keys.issue(acme.tenant, "test", name="CI", scopes=[])[1]

    assert re.findall(expression, f'key="{raw}", {raw[:-1]} x{raw} sk_live_4eC39HqLyjWDarjtT1zdp7dc') == [raw]
