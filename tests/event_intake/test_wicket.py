"""Through the small door or past it: the same answers, rows, metrics and log lines."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import needs_redis
from tests.event_intake.conftest import (
    EVENTS,
    FROM_TEMPLATE,
    MAIL,
    NOTIFY,
    ONLY_ONCE,
    PLACED,
    Call,
    went_through,
)
from tests.event_intake.test_plain_requests import EVENT, SEND, some_of

PLAIN = {
    "host": [Call(body=MAIL, meta={"HTTP_HOST": host}) for host in ("evil.test", "a b", "localhost:99")],
    "no slash": [Call("/v1/notify", MAIL), Call("/api/events", PLACED)],
    "mail": [Call(body=MAIL)],
    "template": [Call(body=FROM_TEMPLATE), Call(body=FROM_TEMPLATE | {"to": "bob@example.com"})],
    "customer": [Call(body={"channel": "in_app", "user_id": "u1", "body": "Hi {{ id }}", "data": {"id": 1}})],
    "test key": [Call(body=MAIL, key="test"), Call(EVENTS, PLACED, key="test")],
    "bearer": [Call(body=MAIL, key="", meta={"HTTP_AUTHORIZATION": "Bearer {live}"})],
    "event": [Call(EVENTS, PLACED), Call(EVENTS, {"event_type": "all.told", "topic": "all", "priority": "high"})],
    "event sent twice": [Call(EVENTS, ONLY_ONCE), Call(EVENTS, ONLY_ONCE)],
    "event key for another event": [Call(EVENTS, ONLY_ONCE), Call(EVENTS, ONLY_ONCE | {"event_type": "b"})],
    "charset": [Call(body=MAIL, type="application/json; charset=utf-8")],
    "request id": [Call(body=MAIL, meta={"HTTP_X_REQUEST_ID": "mine-7"}), Call(meta={"HTTP_X_REQUEST_ID": "bad id"})],
    "axios": [Call(body=MAIL, meta={"HTTP_ACCEPT": "application/json, text/plain, */*"})],
    "https": [Call(body=MAIL, meta={"wsgi.url_scheme": "https"})],
    "unknown template": [Call(body=FROM_TEMPLATE | {"template": "nothing"})],
    "template fault": [Call(body=FROM_TEMPLATE | {"data": {}}), Call(body=MAIL | {"body": "{{ x", "data": {}})],
    "bad address": [Call(body=MAIL | {"to": "nobody"})],
    "unknown customer": [Call(body={"channel": "in_app", "user_id": "u9", "body": "Hi"})],
    "keys": [Call(body=MAIL, key=key) for key in ("", "none", "revoked", "reader", "idle")],
    "keys at events": [Call(EVENTS, PLACED, key=key) for key in ("", "none", "revoked", "reader", "idle")],
}
ODD = {
    "cookies": [Call(body=MAIL, meta={"HTTP_COOKIE": "sessionid=abc; csrftoken=def", "HTTP_ORIGIN": "https://x.test"})],
    "methods": [Call(path, MAIL, method) for path in (NOTIFY, EVENTS) for method in ("GET", "PUT", "OPTIONS", "HEAD")],
    "no json": [
        Call(body=body) for body in (b"", b" ", b"{", b'{"a":1,}', b"\xff", b'"\\u0000"', b"[]", b"null", b"1")
    ],
    "nul": [Call(body=MAIL | {"body": "a\0b"}), Call("/v1/notify/%00", MAIL)],
    "too deep": [Call(EVENTS, PLACED | {"payload": {"a": json.loads("[" * 21 + "]" * 21)}})],
    "too large": [Call(body=MAIL | {"body": "x" * 262_144}), Call(EVENTS, PLACED | {"payload": {"a": "x" * 262_144}})],
    "unknown field": [Call(body=MAIL | {"subjekt": "x"}), Call(EVENTS, PLACED | {"user": "x"})],
    "wrong values": [Call(body=MAIL | {"channel": "fax"}), Call(EVENTS, {"event_type": "a b", "user_id": "u1"})],
    "rare fields": [
        Call(body=MAIL | {"send_at": "2099-01-01T00:00:00Z"}),
        Call(EVENTS, PLACED | {"channels": ["email"]}),
        Call(EVENTS, {"event_type": "a", "recipients": ["u1", {"user_id": "u2", "email": "u2@example.com"}]}),
        Call(EVENTS, {"type": "a", "user_id": "u1", "data": {"b": 1}}),
    ],
    "types": [Call(body=MAIL, type=kind) for kind in ("text/plain", "", "application/json; charset=latin-1")],
    "accept": [Call(body=MAIL, meta={"HTTP_ACCEPT": kind}) for kind in ("text/html", "application/*", "", "nonsense")],
    "query": [Call(body=MAIL, meta={"QUERY_STRING": q}) for q in ("a=1", "format=json", "format=xml", "%00")],
    "length": [
        Call(body=MAIL, meta={"CONTENT_LENGTH": n}) for n in ("", "abc", "0", "10", "-5", "+20", "²", "9999999")
    ],
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_requests_are_answered_as_the_view_would(both, name):
    here, there, answers = both(PLAIN[name])

    assert here == there
    assert all(went_through(answer) for answer in answers if answer.status_code == 202)


@pytest.mark.parametrize("name", ODD)
def test_odd_requests_are_left_to_the_view(both, name):
    here, there, answers = both(ODD[name])

    assert here == there
    assert not any(went_through(answer) for answer in answers if answer.status_code == 202)


@needs_redis
@pytest.mark.parametrize("call", [Call(body=MAIL), Call(EVENTS, PLACED), Call(body={}), Call(body=FROM_TEMPLATE)])
def test_quota_is_spent_once_and_refused_alike(both, settings, call):
    settings.API_RATE_LIMIT = "2/m"

    here, there, answers = both([call] * 3)

    assert here == there
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]


@pytest.mark.parametrize("fault", [OperationalError("gone"), DatabaseError("server closed"), RuntimeError("odd")])
@pytest.mark.parametrize("call", [Call(body=MAIL), Call(EVENTS, PLACED)], ids=["notify", "events"])
def test_a_database_that_fails_is_asked_once_and_told_alike(both, call, fault):
    asked = []

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("INSERT INTO", "EXECUTE", "PREPARE")):
            return execute(sql, params, many, context)
        asked.append(sql)
        raise fault

    warm = both([call])
    with connection.execute_wrapper(fail):
        here, there, answers = both([call])

    assert warm[0] == warm[1]
    assert here == there
    assert (len(asked), answers[0].status_code) == (2, 500 if isinstance(fault, RuntimeError) else 503)


@pytest.mark.parametrize(("path", "fields"), [(NOTIFY, SEND), (EVENTS, EVENT)], ids=["notify", "events"])
def test_any_body_is_answered_as_the_view_would(both, path, fields):
    @hypothesis_settings(max_examples=10, deadline=None)
    @given(st.lists(some_of(fields), min_size=1, max_size=10))
    def check(bodies):
        here, there, _ = both([Call(path, body) for body in bodies])
        assert here == there

    check()
