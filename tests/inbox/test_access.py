"""Who gets to an inbox, over HTTP: whose token, from which page, with which scope."""

import time

import pytest
from rest_framework.test import APIClient

from inbox import access, tokens
from inbox.issuing import token_for
from monitoring.models import AuditEntry
from tenants import bad_keys, inbox_secrets
from tenants.inbox_secrets import SIGNERS
from tenants.models import InboxSecret
from tests.conftest import client_with
from tests.inbox.conftest import arrive, page_of

COUNTS, LIST, MARK = "/v1/inbox/counts/", "/v1/inbox/notifications/", "/v1/inbox/notifications/mark/"
SHOP = "https://shop.example"
ALL = {"filter": {}, "up_to": 10, "read": True}


def bearing(token):
    return APIClient(headers={"Authorization": f"Bearer {token}"})


def test_request_without_a_token_is_refused(db):
    answer = APIClient().get(COUNTS)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="inbox"'


def test_api_key_is_no_token(acme):
    assert client_with(acme.api_key).get(COUNTS).status_code == 401
    assert bearing(acme.api_key).get(COUNTS).json()["code"] == "invalid_token"


def test_token_is_no_api_key(acme):
    token = token_for(acme.tenant, "ann", seconds=60)["token"]

    assert client_with(token).get("/v1/notifications/").status_code == 401


def test_secret_of_one_tenant_signs_for_nobody_of_another(acme, globex, ann):
    arrive(ann)
    foreign = inbox_secrets.newest_of(globex.tenant)
    as_acme = inbox_secrets.Signer(foreign.kid, acme.tenant, foreign.secret)
    now = acme.tenant.created_at.timestamp()

    answers = [bearing(tokens.sign(signer, "ann", now=now, seconds=60)).get(COUNTS) for signer in (as_acme, foreign)]

    assert (answers[0].status_code, answers[0].json()["code"]) == (401, "invalid_token")
    assert (answers[1].status_code, answers[1].json()["total"]) == (200, 0)  # their own ann, who has no messages


def test_message_of_another_user_does_not_exist(acme, ann, globex):
    [message] = arrive(ann)
    strangers = [page_of(acme, "bob"), page_of(globex, "ann")]
    path = f"{LIST}{message}/"

    for stranger in strangers:
        assert stranger.get(path).status_code == 404
        assert stranger.patch(path, {"read": True}).status_code == 404
        assert stranger.post(f"{path}actions/ok/").status_code == 404
        assert stranger.post(MARK, {"ids": [message], "read": True}).json()["counts"]["total"] == 0
    assert page_of(acme, "ann").get(COUNTS).json()["unread"] == 1


def test_cursor_of_another_user_is_none(acme, ann):
    arrive(ann, 3)
    cursor = page_of(acme, "ann").get(f"{LIST}?limit=1").json()["next_cursor"]
    bob = page_of(acme, "bob")

    assert bob.get(f"{LIST}?cursor={cursor}").json()["code"] == "invalid_cursor"


def test_deleted_secret_signs_no_more(acme, ann, page, django_capture_on_commit_callbacks):
    assert page.get(COUNTS).status_code == 200

    with django_capture_on_commit_callbacks(execute=True):
        inbox_secrets.revoke(InboxSecret.objects.get())

    assert page.get(COUNTS).json()["code"] == "invalid_token"


def test_deleted_secret_counts_at_most_as_long_as_it_is_remembered(acme, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(SIGNERS, "clock", lambda: clock[0])
    kid = inbox_secrets.newest_of(acme.tenant).kid
    assert SIGNERS.get(kid)
    InboxSecret.objects.all().delete()  # in another process

    assert SIGNERS.get(kid)
    clock[0] = SIGNERS.seconds

    assert SIGNERS.get(kid) is None
    assert SIGNERS.seconds < 5


def test_tenant_that_is_switched_off_has_no_inboxes(acme, page):
    acme.tenant.is_active = False
    acme.tenant.save()
    SIGNERS.clear()

    assert (page.get(COUNTS).status_code, page.get(COUNTS).json()["code"]) == (403, "tenant_inactive")


@pytest.fixture
def key(acme):
    return client_with(acme.api_key)


def test_revoked_tokens_are_refused_whoever_signed_them_and_later_ones_are_not(acme, ann, page, key):
    own = tokens.sign(inbox_secrets.newest_of(acme.tenant), "ann", now=time.time(), seconds=60)
    assert [page.get(COUNTS).status_code, bearing(own).get(COUNTS).status_code] == [200, 200]

    assert key.delete("/v1/subscribers/ann/inbox-tokens/").status_code == 204

    for refused in (page.get(COUNTS), bearing(own).get(COUNTS)):
        assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")
        assert refused["WWW-Authenticate"] == 'Bearer realm="inbox"'
    fresh = key.post("/v1/subscribers/ann/inbox-tokens/", {}).json()["token"]
    assert bearing(fresh).get(COUNTS).status_code == 200


def test_tokens_of_others_are_not_revoked(acme, globex, ann, key):
    others = [page_of(acme, "bob"), page_of(globex, "ann")]

    key.delete("/v1/subscribers/ann/inbox-tokens/")

    assert [other.get(COUNTS).status_code for other in others] == [200, 200]


def test_tokens_of_somebody_who_is_no_customer_yet_are_revoked(acme, key):
    token = tokens.sign(inbox_secrets.newest_of(acme.tenant), "new", now=time.time(), seconds=60)
    assert bearing(token).get(COUNTS).status_code == 200

    key.delete("/v1/subscribers/new/inbox-tokens/")

    assert bearing(token).get(COUNTS).json()["code"] == "token_revoked"


def test_revocation_takes_a_live_key_and_is_audited(acme, ann, key):
    path = "/v1/subscribers/ann/inbox-tokens/"
    assert client_with(acme.test_api_key).delete(path).json()["code"] == "no_test_inbox"

    key.delete(path)

    assert AuditEntry.objects.get(action="customer.inbox_tokens_revoked").object_id == str(ann.customer_id)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("get", COUNTS, tokens.READ), ("get", LIST, tokens.READ), ("post", MARK, tokens.WRITE)],
)
def test_call_needs_its_scope_and_no_other(acme, ann, method, path, scope):
    others = [one for one in tokens.SCOPES if one != scope]

    with_it = getattr(page_of(acme, "ann", scope), method)(path, ALL if method == "post" else None)
    without = getattr(page_of(acme, "ann", *others), method)(path, ALL if method == "post" else None)

    assert with_it.status_code == 200
    assert (without.status_code, without.json()["code"]) == (403, "missing_scope")


def test_page_of_a_named_origin_may_ask(acme, ann):
    acme.tenant.inbox_origins = [SHOP]
    acme.tenant.save()
    SIGNERS.clear()

    answer = page_of(acme, "ann", Origin=SHOP).get(COUNTS)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://shop.example", f"{SHOP}.evil.example"])
def test_page_of_another_origin_gets_nothing_but_the_reason(acme, ann, origin):
    acme.tenant.inbox_origins = [SHOP]
    acme.tenant.save()
    SIGNERS.clear()
    arrive(ann)
    elsewhere = page_of(acme, "ann", Origin=origin)

    read, marked = elsewhere.get(LIST), elsewhere.post(MARK, ALL)

    assert {(answer.status_code, answer.json()["code"]) for answer in (read, marked)} == {(403, "origin_not_allowed")}
    assert page_of(acme, "ann").get(COUNTS).json()["unread"] == 1


def test_page_of_our_own_may_ask(acme, ann):
    assert page_of(acme, "ann", Origin="http://testserver").get(COUNTS).status_code == 200


def test_page_may_read_why_its_token_is_refused(acme, ann):
    answer = APIClient(headers={"Authorization": "Bearer x.y.z", "Origin": SHOP}).get(COUNTS)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, SHOP)


def test_preflight_is_answered_without_a_token(db, django_assert_num_queries):
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "PATCH"}

    with django_assert_num_queries(0):
        answer = APIClient(headers=asked).options(COUNTS)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert "PATCH" in answer["Access-Control-Allow-Methods"]
    assert "Authorization" in answer["Access-Control-Allow-Headers"]


def test_user_who_asks_too_often_is_told_when_to_come_back(acme, page, settings, monkeypatch):
    if not settings.REDIS_URL:
        pytest.skip("limits are counted in Redis")
    settings.INBOX_RATE_LIMIT = "2/h"
    monkeypatch.setattr(access, "_purse", type(access._purse)())

    answers = [page.get(COUNTS) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0


def test_flood_of_bad_api_keys_holds_up_no_token(acme, monkeypatch):
    flooded = bad_keys.Failures()
    for _ in range(bad_keys.EACH + 1):
        flooded.note("203.0.113.7")
    monkeypatch.setattr(bad_keys, "FAILURES", flooded)
    asked = {"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer a.b.c", "REQUEST_METHOD": "GET"}

    assert bad_keys.guard(asked | {"PATH_INFO": COUNTS}) is None
    assert bad_keys.guard(asked | {"PATH_INFO": "/v1/notifications/"}) is not None
