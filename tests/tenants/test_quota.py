"""API_RATE_LIMIT: what a tenant has left, told on every answer, and 429 when it is used up."""

import re

import pytest

from tenants.services import register
from tests.conftest import client_with, needs_redis
from traffic_control import rate_limit, redis_client

POLICY = '"tenant";q=3;w=60'


@pytest.fixture
def limited(settings, sandbox):
    settings.API_RATE_LIMIT = "3/m"
    return sandbox


def quota_of(answer):
    """What is left, and the seconds until more."""
    found = re.fullmatch(r'"tenant";r=(\d+);t=(\d+)', answer["RateLimit"])
    assert found, answer["RateLimit"]
    return int(found[1]), int(found[2])


def test_quota_is_off_by_default(sandbox):
    answer = sandbox.get("/v1/tenants/me/")

    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in answer.headers


@needs_redis
def test_quota_is_told_on_every_answer_and_ends_in_429(limited):
    answers = [limited.get("/v1/tenants/me/"), limited.get("/v1/nothing/"), limited.post("/v1/notify/", {})]
    answers += [limited.get("/v1/circuits/"), limited.get("/v1/circuits/")]

    assert [answer.status_code for answer in answers] == [200, 404, 400, 200, 429]
    assert [quota_of(a)[0] for a in answers if "RateLimit" in a.headers] == [2, 1, 0, 0]
    assert {a["RateLimit-Policy"] for a in answers if a.status_code != 404} == {POLICY}
    assert all(1 <= quota_of(a)[1] <= 66 for a in answers if a.status_code != 404)


@needs_redis
def test_quota_used_up_is_a_problem_that_says_when_to_come_back(limited):
    for _ in range(3):
        limited.get("/v1/circuits/")

    answer = limited.get("/v1/circuits/")

    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert (problem["status"], problem["code"]) == (429, "rate_limited")
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["violated-policies"] == ["tenant"]
    assert int(answer["Retry-After"]) == quota_of(answer)[1]


@needs_redis
def test_quota_charges_one_for_a_batch(limited):
    items = [{"channel": "email", "to": f"u{number}@example.com", "subject": "x", "body": "x"} for number in range(50)]

    answer = limited.post("/v1/notify/batch/", {"notifications": items})

    assert (answer.status_code, quota_of(answer)[0]) == (202, 2)


@needs_redis
def test_quota_is_shared_by_a_tenants_keys_and_nobody_elses(limited, acme):
    other = client_with(register("Other", "ops@other.test").test_api_key)
    limited.get("/v1/circuits/")

    same, others = client_with(acme.api_key).get("/v1/circuits/"), other.get("/v1/circuits/")

    assert (quota_of(same)[0], quota_of(others)[0]) == (1, 2)


@needs_redis
def test_quota_charges_calls_that_the_key_may_not_make(limited, api_with):
    answer = api_with("read").post("/v1/notify/", {})

    assert (answer.status_code, quota_of(answer)[0]) == (403, 2)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_quota_does_not_concern_health(limited, client, path):
    answers = [client.get(path) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_quota_without_redis_lets_everything_pass_and_says_so_once(limited, settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_client.forget_outage()
    before = rate_limit.fail_open_count()

    answers = [limited.get("/v1/circuits/") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers
    assert rate_limit.fail_open_count() - before == 5
    assert sum("redis is away" in record.message for record in caplog.records) == 1
    redis_client.forget_outage()


def test_rate_that_cannot_be_read_is_found_by_the_checks(settings):
    from tenants.checks import rates_are_readable

    settings.API_RATE_LIMIT = "many"

    assert [fault.msg.partition(":")[0] for fault in rates_are_readable()] == ["API_RATE_LIMIT"]
