"""Addresses are planted wherever one can be kept: no call of any app shows them to a key without the scope `pii`."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from delivery_gateway import dead_letters
from delivery_gateway.models import Attempt, NotificationLog, ProviderEvent, SandboxMessage
from delivery_gateway.states import Status
from inbox.access import InboxView
from notification_processor import templates
from notification_processor.models import Event, Workflow
from tenants import keys, scopes
from tenants.models import Tenant
from tests.conftest import client_with
from traffic_control.ids import derived_uuid7, uuid7
from user_preferences import erasure
from user_preferences.models import Customer

MAIL, PHONE, CHAT = "planted.ann@canary.test", "+48600700801", "987650123"
HOOK = "https://hooks.canary.test/services/T0/B0/plantedplanted"
PLANTED = (MAIL, PHONE, PHONE.lstrip("+"), CHAT, HOOK, "plantedplanted")
ADDRESSES = {"email": MAIL, "slack": HOOK, "telegram": CHAT, "webhook": HOOK}
OPEN = {"/v1/tenants/register/", "/v1/callbacks/<str:token>/"}  # take no key
SEND = {"channel": "email", "user_id": "ann", "subject": "Hello", "body": "Hello"}
EVENT = {"event_type": "ORDER_CREATED", "user_id": "ann", "payload": {}}
ORDER = {"customer_id": "ann", "order_number": "A-8", "items": [{"name": "Pot", "quantity": 1, "unit_price": "1"}]}
BODIES: dict[str, Any] = {  # of calls that would show somebody; the others are sent {}
    "POST /api/events/": EVENT,
    "POST /api/events/batch/": {"events": [EVENT]},
    "POST /v1/notify/": SEND,
    "POST /v1/notify/batch/": {"notifications": [SEND]},
    "POST /api/v1/notifications/send/": {"customer_id": "ann", "channels": ["email", "slack"], "message": "Hello"},
    "POST /api/v1/orders/": ORDER | {"currency": "EUR"},
    "POST /api/v1/customers/": {"user_id": "ann", "name": "Ann"},
    "POST /api/v1/customers/batch/": {"customers": [{"user_id": "ann", "name": "Ann"}]},
    "PATCH /api/v1/customers/<path:customer>/": {"name": "Ann"},
    "POST /v1/people/export/": {"user_id": "ann"},
    "POST /v1/templates/<uuid:template_id>/preview/": {"data": {}, "user_id": "ann"},
}
QUERIES = {"GET /v1/explain/": "?notification_id={notification_id}"}
LAST = ("DELETE", "PUT", "POST /v1/people/erase/")  # they take away what others show


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif view := getattr(pattern.callback, "cls", None):
            yield path, view


def calls() -> list[str]:
    found = [
        f"{method} {route}"
        for route, view in routes(get_resolver().url_patterns)
        if route.startswith(("/api/", "/v1/")) and route not in OPEN and not issubclass(view, InboxView)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if hasattr(view, method.lower()) and hasattr(view, "scopes")
    ]
    return sorted(found, key=lambda call: (call.startswith(LAST), not call.startswith("GET")))


def plant(tenant: Tenant) -> dict[str, str]:
    """The ids by their names in routes."""
    now = timezone.now()
    customer = Customer.objects.create(
        tenant=tenant, user_id="ann", name="Ann", email=MAIL, phone=PHONE, addresses=ADDRESSES
    )
    event = Event.objects.create(
        tenant=tenant, event_type="ORDER_CREATED", recipients=["ann"], payload={}, mode="live",
        occurred_at=now, due_at=now, received_at=now, error=f"nobody at {MAIL}", state=Event.State.COMPLETED,
    )  # fmt: skip
    rows = [row_to(tenant, customer, event, channel, address) for channel, address in ADDRESSES.items()]
    dead_letters.open_letters(rows)
    waiting = row_to(tenant, customer, event, "email", MAIL, status=Status.SCHEDULED, due_at=now + timedelta(days=1))
    for row in rows:
        said = f"550 <{row.to}> unknown; also {MAIL}, {PHONE} and chat {CHAT}"
        Attempt.objects.create(notification=row, number=1, outcome="gone", detail=said, started_at=now)
        ProviderEvent.objects.create(
            id=uuid7(), tenant_id=tenant.pk, notification=row, kind="bounced", detail=said,
            occurred_at=now, received_at=now,
        )  # fmt: skip
        SandboxMessage.objects.create(
            id=uuid7(), tenant=tenant, channel=row.channel, to=row.to, subject="Hello", user_id="ann",
            payload={"to": row.to}, created_at=now,
        )  # fmt: skip
    template = templates.create(
        tenant, name="hello", channel="email", locale="en", parts={"subject": "Hi", "body": "Dear", "html": ""}
    )
    return {
        "event_id": str(event.id),
        "notification_id": str(rows[0].id),
        "waiting": str(waiting.id),
        "letter_id": str(rows[1].dead_letter.id),
        "integration_id": str(tenant.integrations.get().id),
        "template_id": str(template.id),
        "workflow_id": str(Workflow.objects.create(tenant=tenant, event_type="X", channels=["email"]).id),
        "erasure_id": str(erasure.request(tenant, address="bob@elsewhere.test").id),
        "key_id": str(keys.issue(tenant, "live", name="Other", scopes=["read"])[0].id),
        "customer": "ann",
        "user_id": "ann",
        "order": "A-7",
        "kid": "none",
        "job_id": str(uuid7()),  # which shows numbers only
    }


def row_to(
    tenant: Tenant, customer: Customer, event: Event, channel: str, address: str, **columns: Any
) -> NotificationLog:
    said = f"550 5.1.1 <{address}>: no such recipient, nor {MAIL}"
    failed = {"status": Status.FAILED, "reason": "gone", "error_class": "recipient", "error_code": "gone"}
    return NotificationLog.objects.create(
        id=derived_uuid7(event.id, channel, str(columns)), tenant=tenant, event_id=event.id,
        event_type=event.event_type, user_id="ann",
        customer_id=customer.id, channel=channel, lane="email" if channel == "email" else "chat", to=address,
        subject="Hello", body="Hello", detail=said, provider_response=said, provider_message_id="m-1",
        created_at=timezone.now(), routed_at=timezone.now(), attempts=1, **(failed | columns),
    )  # fmt: skip


def path_of(call: str, ids: dict[str, str]) -> str:
    path = call.partition(" ")[2] + QUERIES.get(call, "").format(**ids)
    if call.endswith("/cancel/"):
        path = path.replace("<uuid:notification_id>", ids["waiting"])
    for name, value in ids.items():
        for kind in ("uuid", "str", "path"):
            path = path.replace(f"<{kind}:{name}>", value)
    return path


def answers(tenant: Tenant, *, without: str) -> dict[str, Any]:
    """Of all calls, by what was called. A parameter of a new route that is not filled fails here."""
    ids = plant(tenant)
    raw = keys.issue(tenant, "live", name="Under test", scopes=[one for one in scopes.ALL if one != without])[1]
    api: Any = client_with(raw)
    found: dict[str, Any] = {}
    api.post("/api/v1/orders/", ORDER | {"order_number": "A-7", "currency": "EUR"})
    for call in calls():
        path = path_of(call, ids)
        assert "<" not in path, f"the test has no {path}"
        found[call] = api.generic(call.partition(" ")[0], path, json.dumps(BODIES.get(call, {})), "application/json")
        if call == "GET /v1/dead-letters/":
            found[f"{call}?group_by=cause"] = api.get(path, {"group_by": "cause"})
    for answer in found.values():
        answer.said = answer.getvalue().decode()  # once: some are streams
    return found


def shown_in(answer: Any) -> list[str]:
    return [planted for planted in PLANTED if planted in answer.said]


def test_no_call_shows_an_address_to_a_key_without_pii(acme):
    found = answers(acme.tenant, without="pii")

    assert {call: shown_in(answer) for call, answer in found.items() if shown_in(answer)} == {}
    assert {answer.status_code for answer in found.values()} & {401, 403, 500} == set()


def test_calls_that_show_somebody_show_all_to_a_key_with_pii(acme):
    """Or else the test above would look where nothing is."""
    found = answers(acme.tenant, without="")

    assert {call for call, answer in found.items() if shown_in(answer)} >= {
        "GET /v1/notifications/",
        "GET /api/v1/notifications/history/",
        "GET /v1/notifications/<uuid:notification_id>/",
        "GET /api/v1/notifications/status/<uuid:notification_id>/",
        "POST /v1/notifications/<uuid:notification_id>/cancel/",
        "GET /v1/dead-letters/",
        "GET /v1/dead-letters/?group_by=cause",
        "GET /v1/dead-letters/<uuid:letter_id>/",
        "GET /v1/sandbox/messages/",
        "GET /v1/explain/",
        "GET /api/v1/customers/",
        "GET /api/v1/customers/<path:customer>/",
        "PATCH /api/v1/customers/<path:customer>/",
        "POST /v1/notify/",
        "POST /v1/people/export/",
    }


def test_answer_to_an_idempotency_key_is_masked_for_another_key(acme):
    plant(acme.tenant)
    blind = keys.issue(acme.tenant, "live", name="Blind", scopes=["send"])[1]
    header = {"Idempotency-Key": "k-1"}

    first, again = (client_with(raw).post("/v1/notify/", SEND, headers=header) for raw in (acme.api_key, blind))

    assert (first.json()["to"], again.json()["to"]) == (MAIL, "p•••@canary.test")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() | {"to": ""} == again.json() | {"to": ""}
