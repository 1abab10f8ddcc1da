"""Through the small door or past it: the same answers, rows, metrics and log lines."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from delivery_gateway.models import NotificationLog
from event_intake import wicket
from monitoring.middleware import labels_of
from notification_processor.models import Event
from tenants import keys, services
from tenants.models import IdempotencyRecord
from tenants.services import Registration, register
from tests.conftest import client_with, needs_redis
from tests.event_intake.test_plain_requests import EVENT, SEND, some_of

NOTIFY, EVENTS = "/v1/notify/", "/api/events/"
MAIL = {"channel": "email", "to": "ann@example.com", "subject": "Hi", "body": "there"}
FROM_TEMPLATE = {"channel": "email", "to": "ann@example.com", "template": "order", "data": {"id": 7}}
PLACED = {"event_type": "order.placed", "user_id": "u1", "payload": {"id": 7}}
ONLY_ONCE = PLACED | {"idempotency_key": "k-1"}
UUID, MOMENT = r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{32}\b", r"\d{4}-\d\d-\d\dT[\d:.]+Z"
VARIES = re.compile(rf"{UUID}|{MOMENT}|(?<=;t=)\d+|(?<=again in )\d+")
IDS = {"id", "tenant_id", "customer_id", "created_at", "rank", "received_at", "occurred_at", "due_at", "fingerprint"}


@dataclass(frozen=True)
class Call:
    """A request as a test client makes it. `meta`: what a server would put into the environment."""

    path: str = NOTIFY
    body: Any = field(default_factory=dict)
    method: str = "POST"
    key: str = "live"
    type: str = "application/json"
    meta: dict[str, Any] = field(default_factory=dict)


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
    "idempotency": [
        Call(body=MAIL, meta={"HTTP_IDEMPOTENCY_KEY": "k"}),
        Call(body=MAIL, meta={"HTTP_IDEMPOTENCY_KEY": "k"}),
        Call(body=MAIL | {"body": "other"}, meta={"HTTP_IDEMPOTENCY_KEY": "k"}),
        Call(body=MAIL, meta={"HTTP_IDEMPOTENCY_KEY": ""}),
        Call(EVENTS, PLACED, meta={"HTTP_IDEMPOTENCY_KEY": "k"}),
        Call(EVENTS, PLACED, meta={"HTTP_IDEMPOTENCY_KEY": "k"}),
    ],
}


@dataclass(frozen=True)
class Shop:
    """A tenant with a template, a customer and keys of every kind."""

    acme: Registration
    keys: dict[str, str]

    def send(self, call: Call) -> Any:
        body = call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()
        meta: dict[str, Any] = {name: self._filled(value) for name, value in call.meta.items()}
        sent_key = {"HTTP_X_API_KEY": self.keys[call.key]} if call.key else {}
        client = Client(raise_request_exception=False)
        return client.generic(call.method, call.path, body, call.type, **(sent_key | meta))

    def _filled(self, value: str) -> str:
        return value.replace("{live}", self.keys["live"])

    def rows(self) -> list[dict[str, Any]]:
        kept = []
        for model, order in ((NotificationLog, "id"), (Event, "id"), (IdempotencyRecord, "id")):
            for row in model.objects.filter(tenant_id=self.acme.tenant.id).order_by(order).values():
                kept.append({name: same(str(value)) for name, value in row.items() if name not in IDS})
        return kept


def open_shop(name: str) -> Shop:
    acme = register(name, "ops@acme.test")
    api = client_with(acme.api_key)
    template = {"name": "order", "channel": "email", "subject": "Order {{ id }}", "body": "Order {{ id }} is here."}
    assert api.post("/v1/templates/", template).status_code == 201
    assert api.post("/api/v1/customers/", {"user_id": "u1", "email": "u1@example.com"}).status_code == 201
    gone, revoked = keys.issue(acme.tenant, "live", name="Gone", scopes=["send"])
    services.revoke(gone)
    reader = keys.issue(acme.tenant, "live", name="Reader", scopes=["read"])[1]
    other = register(f"{name} idle", "ops@idle.test")
    type(other.tenant).objects.filter(pk=other.tenant.pk).update(is_active=False)
    named = {"live": acme.api_key, "test": acme.test_api_key, "revoked": revoked, "reader": reader}
    return Shop(acme, named | {"idle": other.api_key, "none": "sk_live_nobody"})


def same(text: str) -> str:
    """Without what is another in each request."""
    return VARIES.sub("…", text)


def told(answer: Any) -> Any:
    headers = sorted((name, same(value)) for name, value in answer.headers.items() if name != "Retry-After")
    return answer.status_code, headers, same(answer.content.decode()), labels_of(answer.wsgi_request, answer)[1:]


@pytest.fixture
def both(db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:
    """Sends calls to a shop with the small door, and to one without. Gives what came of each, and the first answers."""
    shops = [open_shop("Acme"), open_shop("Acme")]

    def send(calls: list[Call]) -> tuple[list[Any], list[Any], list[Any]]:
        outcomes, answers = [], []
        for shop, posts in zip(shops, (wicket.POSTS, {}), strict=True):
            caplog.clear()
            with monkeypatch.context() as patch:
                patch.setattr(wicket, "POSTS", posts)
                answers.append([shop.send(call) for call in calls])
            lines = [same(f"{r.levelname} {r.name} {r.getMessage()}") for r in caplog.records]
            outcomes.append([[told(answer) for answer in answers[-1]], shop.rows(), lines])
        return outcomes[0], outcomes[1], answers[0]

    return send


def went_through(answer: Any) -> bool:
    """Django resolves the address anew for whatever is left to the view."""
    match = answer.wsgi_request.resolver_match
    return match is not None and match is wicket.view_at(answer.wsgi_request.path_info)


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
