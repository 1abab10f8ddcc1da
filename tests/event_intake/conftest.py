"""Shops with the small door and without, and calls to both."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from delivery_gateway.models import NotificationLog
from event_intake import wicket
from monitoring.middleware import labels_of
from notification_processor.models import Event
from tenants import keys, services
from tenants.models import IdempotencyRecord
from tenants.services import Registration, register
from tests.conftest import client_with

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
