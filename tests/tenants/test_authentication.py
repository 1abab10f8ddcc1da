"""Who is let in, who is not, and what that costs."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from tenants import authentication, key_cache, keys, refusals, services
from tenants.checksum import checksum_of
from tenants.key_cache import KeyCache
from tenants.models import ApiKey
from tests.conftest import client_with

ME = "/v1/tenants/me/"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Time as the cache of keys sees it."""
    clock = Clock()
    monkeypatch.setattr(authentication, "KEYS", KeyCache(clock=clock))
    return clock


@pytest.mark.parametrize("header", ["X-API-KEY: {}", "Authorization: Bearer {}", "Authorization: bearer  {} "])
def test_key_is_taken_from_either_header(acme, client, header):
    name, _, value = header.format(acme.api_key).partition(": ")

    answer = client.get(ME, headers={name: value})

    assert (answer.status_code, answer.json()["slug"]) == (200, "acme")


def with_another_secret(raw: str) -> str:
    """Well formed, its checksum included."""
    other = raw[: len("sk_live_0123456789abcdef_")] + "x" * 43
    return other + checksum_of(other)


def refused_keys(acme):
    expired = keys.issue(acme.tenant, "live", name="Old", scopes=["read"], expires_at=timezone.now())[1]
    key, revoked = keys.issue(acme.tenant, "live", name="Gone", scopes=["read"])
    services.revoke(key)
    unknown = with_another_secret("sk_live_" + "0" * 16 + "_")
    cut_off = acme.api_key[:-2]
    return ["", "nonsense", "ключ", expired, revoked, unknown, cut_off, with_another_secret(acme.api_key)]


def test_refusals_are_all_the_same(acme, client):
    answers = [client.get(ME, headers={"X-API-KEY": raw.encode().decode("latin-1")}) for raw in refused_keys(acme)]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert {answer["WWW-Authenticate"] for answer in answers} == {'Bearer realm="api"'}
    assert {answer.json()["detail"] for answer in answers} == {refusals.REFUSAL}
    assert [answer.json()["code"] for answer in answers] == ["not_authenticated", *["invalid_api_key"] * 7]


def test_inactive_tenant_is_told_so(acme, api):
    acme.tenant.is_active = False
    acme.tenant.save()

    answer = api.get(ME)

    assert (answer.status_code, answer.json()["code"]) == (403, "tenant_inactive")


def test_missing_scope_is_named(api_with):
    answer = api_with("send").get(ME)

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert answer.json()["detail"] == 'This call needs the scope "read"; this key has send. Use another key.'


def test_revoked_key_is_refused_within_five_seconds_in_other_processes(acme, clock):
    """The revocation happens where this cache does not hear of it."""
    api = client_with(acme.api_key)
    assert api.get(ME).status_code == 200

    ApiKey.objects.filter(public_id=keys.public_id_of(acme.api_key)).update(revoked_at=timezone.now())
    clock.now = 3.9
    still_kept = api.get(ME).status_code
    clock.now = 4.1
    looked_up = api.get(ME).status_code

    assert (still_kept, looked_up) == (200, 401)


def test_revoked_key_is_refused_at_once_where_it_was_revoked(acme, django_capture_on_commit_callbacks):
    spare = keys.issue(acme.tenant, "live", name="Spare", scopes=["read"])
    api = client_with(spare[1])
    assert api.get(ME).status_code == 200

    with django_capture_on_commit_callbacks(execute=True):
        services.revoke(spare[0])

    assert api.get(ME).status_code == 401


def test_known_key_costs_no_query(acme, django_assert_num_queries):
    authentication.usable_key(acme.api_key)

    with django_assert_num_queries(0):
        assert authentication.usable_key(acme.api_key) is not None


def test_wrong_secret_of_a_known_key_costs_no_query(acme, django_assert_num_queries):
    authentication.usable_key(acme.api_key)

    with django_assert_num_queries(0):
        assert authentication.usable_key(with_another_secret(acme.api_key)) is None


def test_cache_keeps_no_unknown_keys_and_drops_the_oldest(acme):
    cache = KeyCache(size=2)
    known = [keys.issue(acme.tenant, "live", name="k", scopes=[])[0].public_id for _ in range(3)]

    assert cache.get("0" * 16) is None
    for public_id in known:
        cache.get(public_id)

    assert list(cache._rows) == known[1:]


def test_last_use_is_noted_once_a_minute(acme, django_assert_num_queries):
    key = ApiKey.objects.get(public_id=keys.public_id_of(acme.api_key))

    with django_assert_num_queries(1):
        for _ in range(10):
            key_cache.note_use(key)
    long_ago = timezone.now() - timedelta(seconds=61)
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=long_ago)
    key.last_used_at = long_ago
    key_cache.note_use(key)

    noted = ApiKey.objects.get(pk=key.pk).last_used_at
    assert noted is not None
    assert noted - long_ago > timedelta(seconds=60)


def test_last_use_noted_by_another_process_is_not_written_again(acme):
    key = ApiKey.objects.get(public_id=keys.public_id_of(acme.api_key))
    theirs = timezone.now() - timedelta(seconds=5)
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=theirs)

    key_cache.note_use(key)

    assert ApiKey.objects.get(pk=key.pk).last_used_at == theirs


def test_last_use_that_cannot_be_written_does_not_stop_the_request(acme, monkeypatch, caplog):
    class Broken:
        def for_tenant(self, tenant):
            raise DatabaseError("read only")

    monkeypatch.setattr(ApiKey, "objects", Broken())

    key_cache.note_use(ApiKey(pk=None, tenant=acme.tenant))

    assert caplog.messages == ["last use of a key not noted: DatabaseError"]


def test_requests_with_a_known_key_write_nothing(acme, api, django_assert_num_queries):
    api.get("/v1/preferences/nobody/")

    with django_assert_num_queries(1):
        api.get("/v1/preferences/nobody/")
