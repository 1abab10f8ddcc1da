"""The door as a client on the wire meets it: the real web server, no test client in between."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tenants.bad_keys import EACH
from tests.flow.stack import stack

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="a server beside the test needs PostgreSQL")

SEND = {"channel": "email", "to": "user@example.com", "subject": "Hello", "body": "It works."}


@pytest.fixture
def web(acme, tmp_path):
    with stack(tmp_path) as running:
        yield urlsplit(running.web()).netloc


def ask(web, body, *, key, headers=None, path="/v1/notify/", method="POST"):
    client = http.client.HTTPConnection(web, timeout=10)
    try:
        client.request(method, path, body, {"X-API-KEY": key, "Content-Type": "application/json", **(headers or {})})
        answer = client.getresponse()
        return answer.status, answer.headers, json.loads(answer.read() or b"null")
    finally:
        client.close()


def chunks(size, *, of=1_000):
    yield b'{"a": "'
    for _ in range(size // of):
        yield b"x" * of
    yield b'"}'


def test_door_takes_bodies_with_and_without_a_length_up_to_its_limit(acme, web):
    whole, large = json.dumps(SEND).encode(), b"".join(chunks(1_000_000))

    taken = ask(web, iter([whole]), key=acme.test_api_key)
    refused = [ask(web, body, key=acme.test_api_key) for body in (large, chunks(1_000_000))]

    assert (taken[0], taken[2]["status"]) == (202, "pending")
    for status, headers, problem in refused:
        assert (status, problem["code"]) == (413, "payload_too_large")
        assert headers["Content-Type"] == "application/problem+json"


def test_door_refuses_a_flood_of_bad_keys_and_lets_a_good_one_in(acme, web):
    client = http.client.HTTPConnection(web, timeout=10)
    headers = {"Content-Type": "application/json"}

    def post(key):
        try:
            client.request("POST", "/v1/notify/", json.dumps(SEND), {**headers, "X-API-KEY": key})
            answer = client.getresponse()
        except ConnectionError:  # whose body nobody reads may have its connection closed: clients try again
            client.close()
            return post(key)
        return answer.status, json.loads(answer.read())["request_id" if answer.status > 299 else "id"]

    bad = [post(f"sk_live_{number:016x}_{'x' * 43}") for number in range(EACH + 20)]
    good = post(acme.api_key)
    client.close()

    assert [status for status, _ in bad] == [401] * EACH + [429] * 20
    assert len({request_id for _, request_id in bad}) == len(bad)
    assert good[0] == 202


def test_door_refuses_in_one_voice(acme, web):
    test, unknown = acme.test_api_key, "sk_test_0000000000000000_x"
    stranger = "/v1/notifications/01900000-0000-7000-8000-000000000000/"
    for path, method, key, expected in [
        ("/v1/notify/", "POST", "", (401, "not_authenticated")),
        ("/v1/notify/", "POST", unknown, (401, "invalid_api_key")),
        ("/v1/notify/", "PUT", test, (405, "method_not_allowed")),
        ("/v1/nothing/", "GET", test, (404, "not_found")),
        (stranger, "GET", test, (404, "not_found")),
    ]:
        status, headers, problem = ask(web, None, key=key, path=path, method=method)

        assert (status, problem["code"]) == expected
        assert headers["Content-Type"] == "application/problem+json"
        assert problem["request_id"] == headers["X-Request-ID"]
