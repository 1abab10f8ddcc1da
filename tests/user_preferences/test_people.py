"""A person is erased while things go on: nothing names them any more, and what they declined stays declined."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from delivery_gateway import leases, suppressions
from delivery_gateway.contract import Receipt
from delivery_gateway.leases import Outcome
from delivery_gateway.models import Attempt, DeadLetter, InboxItem, NotificationLog, ProviderEvent, SandboxMessage
from delivery_gateway.states import Status
from notification_processor import generation, routing
from notification_processor.models import Event
from tests.conftest import client_with
from traffic_control import people
from traffic_control.ids import uuid7
from user_preferences import erasure
from user_preferences.models import Customer, Erasure, Preference

CANARY = "canary7f3a"
USER, MAIL, HOOK = f"user-{CANARY}", f"{CANARY}@example.com", f"https://hooks.example.com/{CANARY}"
LATER = "2099-01-01T00:00:00Z"
JANE = {
    "user_id": USER, "name": f"Jane {CANARY}", "email": MAIL,
    "addresses": {"webhook": HOOK}, "attributes": {"nick": CANARY},
}  # fmt: skip


def hits():
    """Every table, searched for the canary."""
    found = []
    for model in apps.get_models():
        for row in model._base_manager.values():
            if CANARY in json.dumps(row, default=str):
                found.append((model._meta.label_lower, row))
    return found


def finish(now=None):
    """All steps, as if time had passed."""
    while erasure.proceed(seconds=5, now=now or timezone.now() + timedelta(hours=1)):
        pass


def ask(client, what, **who):
    return client.post(f"/v1/people/{what}/", who or {"user_id": USER})


@pytest.fixture
def jane(live, sandbox, acme):
    """Everywhere a person can be."""
    assert live.post("/api/v1/customers/", JANE, headers={"Idempotency-Key": "k1"}).status_code == 201
    live.put(f"/v1/preferences/{USER}/", {"categories": {"news": {"email": False}}})
    live.post("/api/events/", {"event_type": "A", "user_id": USER, "payload": {"to": MAIL}, "channels": ["in_app"]})
    live.post(
        "/api/events/",
        {"event_type": "B", "recipients": ["bob", USER], "payload": {"by": MAIL, "n": 1}, "send_at": LATER},
    )
    sandbox.post("/v1/notify/", {"channel": "email", "to": MAIL, "subject": MAIL, "body": MAIL})
    live.post("/v1/notify/", {"channel": "email", "to": MAIL.upper(), "body": CANARY, "send_at": LATER})
    live.post(
        "/v1/notify/",
        {"channel": "email", "user_id": USER, "body": CANARY, "send_at": LATER},
        headers={"Idempotency-Key": "k2"},
    )
    item = {"sku": "tea", "name": "Tea", "quantity": 1, "unit_price": "1.00"}
    live.post("/api/v1/orders/", {"customer_id": USER, "order_number": "1", "items": [item], "currency": "EUR"})
    Customer.objects.filter(user_id=USER).update(phone=CANARY, locale=CANARY, timezone=CANARY)
    customer = Customer.objects.get(user_id=USER)
    failed = NotificationLog.objects.create(
        tenant=acme.tenant, user_id=USER, customer_id=customer.id, channel="email", lane="email", to=MAIL, body=CANARY,
        detail=CANARY, provider_response=CANARY, provider_message_id=CANARY, status="failed", created_at=timezone.now(),
    )  # fmt: skip
    now = timezone.now()
    InboxItem.objects.create(id=failed.id, tenant=acme.tenant, customer_id=customer.id, body=CANARY, created_at=now)
    SandboxMessage.objects.create(
        id=failed.id, tenant=acme.tenant, channel="email", to=MAIL, body=CANARY, user_id=USER, created_at=now
    )
    Attempt.objects.create(notification=failed, number=1, outcome="recipient", detail=CANARY, started_at=now)
    ProviderEvent.objects.create(
        id=uuid7(), tenant=acme.tenant, notification=failed, kind="x", detail=CANARY, received_at=now
    )
    DeadLetter.objects.create(
        tenant=acme.tenant, notification=failed, channel="email", code="x", reason=CANARY, created_at=now
    )
    LogEntry.objects.create(
        user=User.objects.create_user("op"), content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer.id), object_repr=USER, action_flag=CHANGE,
    )  # fmt: skip
    return customer


def test_nothing_names_an_erased_person(live, jane):
    assert len({model for model, _ in hits()}) >= 10

    begun = ask(live, "erase")
    finish()

    assert hits() == []
    assert begun.status_code == 202
    assert live.get(begun["Location"]).json()["status"] == "completed"
    assert SandboxMessage.objects.count() == InboxItem.objects.count() == 0


def test_what_waits_is_cancelled_in_the_request_itself(live, jane):
    waiting = NotificationLog.objects.filter(status="scheduled")
    ids = list(waiting.values_list("id", flat=True))
    assert len(ids) == 2

    ask(live, "erase")

    assert not Customer.objects.filter(user_id=USER).exists()
    assert set(NotificationLog.objects.filter(id__in=ids).values_list("status", "reason")) == {("cancelled", "erased")}


def test_event_for_several_goes_on_for_the_others(live, jane):
    ask(live, "erase")
    finish()

    event = Event.objects.get(event_type="B")
    assert (event.recipients, event.payload) == (["bob"], {"by": people.ERASED, "n": 1})
    assert Event.objects.get(event_type="A").payload == {}


def test_cursor_of_a_list_goes_along_with_who_is_taken_out(live, jane):
    event = Event.objects.get(event_type="B")
    event.recipients, event.cursor, event.state = ["ann", USER, "bob"], "2", "generated"
    event.due_at, event.plan = timezone.now(), {"channels": ["in_app"]}
    event.save()
    ask(live, "erase")
    finish()
    NotificationLog.objects.all().delete()

    routing.route(now=timezone.now())

    assert list(NotificationLog.objects.values_list("user_id", flat=True)) == ["bob"]


def test_event_that_was_on_its_way_brings_nobody_back(live, jane):
    Event.objects.filter(event_type="B").update(state="generated", due_at=timezone.now(), plan={"channels": ["in_app"]})
    ask(live, "erase")
    routing.route(now=timezone.now())
    assert Customer.objects.filter(user_id=USER).exists()

    finish()

    assert not Customer.objects.filter(user_id=USER).exists()


def test_who_declined_is_not_written_to_when_they_are_introduced_again(live, jane):
    ask(live, "erase")
    finish()

    live.post("/api/v1/customers/", JANE)
    for category in ("news", "orders"):
        live.post("/v1/workflows/", {"event_type": category, "channels": ["email"], "category": category})
        live.post("/api/events/", {"event_type": category, "user_id": USER})

    generation.generate(now=timezone.now())
    routing.route(now=timezone.now())

    found = dict(NotificationLog.objects.filter(user_id=USER).values_list("category", "reason"))
    assert found["news"] == "address_suppressed"
    assert found["orders"] != "address_suppressed"


def test_row_that_is_being_sent_is_waited_for(live, jane, acme):
    row = NotificationLog.objects.filter(status="failed").get()
    now = timezone.now()
    NotificationLog.objects.filter(status="queued").delete()
    NotificationLog.objects.filter(id=row.id).update(status="queued")
    [held] = leases.claim("email", limit=10, now=now)
    ask(live, "erase")
    erasure.proceed(seconds=2, now=now + timedelta(seconds=20))

    assert NotificationLog.objects.get(id=row.id).to == MAIL
    assert Erasure.objects.get().completed_at is None

    leases.finish([Outcome(held, Receipt("id", f"250 {MAIL}"), now)])
    finish()

    assert NotificationLog.objects.get(id=row.id).status == Status.SENT
    assert hits() == []


def test_row_that_comes_back_from_a_failed_send_is_cancelled(live, jane):
    row = NotificationLog.objects.filter(status="failed").get()
    now = timezone.now()
    NotificationLog.objects.filter(status="queued").delete()
    NotificationLog.objects.filter(id=row.id).update(status="queued")
    leases.claim("email", limit=10, now=now)
    ask(live, "erase")
    leases.release_lapsed(now=now + timedelta(minutes=5), limit=10)
    finish()

    assert NotificationLog.objects.get(id=row.id).status == Status.CANCELLED
    assert hits() == []


def test_large_tables_are_walked_in_small_steps(live, jane, monkeypatch):
    for module in ("delivery_gateway", "notification_processor"):
        monkeypatch.setattr(f"{module}.people.WINDOW", 1)
    ask(live, "erase")

    steps = erasure.proceed(seconds=30, now=timezone.now() + timedelta(hours=1))

    assert steps > NotificationLog.objects.count() + Event.objects.count()
    assert hits() == []


def test_others_keep_what_is_theirs(live, jane, acme):
    from tenants.services import register

    live.post("/api/v1/customers/", {"user_id": "bob", "email": "bob@example.com"})
    globex = client_with(register("Globex", "ops@globex.test").api_key)
    globex.post("/api/v1/customers/", JANE)
    ask(live, "erase")
    finish()

    assert {model for model, _ in hits()} == {"user_preferences.customer"}
    assert Customer.objects.get(user_id="bob").email == "bob@example.com"
    assert Preference.objects.count() == 0


def test_answer_to_a_key_of_an_erased_person_is_replayed_without_them(live, jane):
    ask(live, "erase")
    finish()

    again = live.post("/api/v1/customers/", JANE, headers={"Idempotency-Key": "k1"})

    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["id"] == str(jane.id)
    assert CANARY not in again.content.decode()
    assert not Customer.objects.exists() or CANARY not in str(list(Customer.objects.values()))


def test_person_without_a_customer_is_erased_by_address(live, jane, acme):
    Customer.objects.filter(id=jane.id).delete()

    ask(live, "erase", user_id=USER, address=MAIL)
    finish()

    left = {(model, name) for model, row in hits() for name, value in row.items() if CANARY in str(value)}
    assert left <= {
        ("tenants.idempotencyrecord", "response"),
        ("admin.logentry", "object_repr"),
        ("notification_processor.event", "payload"),
    }


def test_export_has_everything_and_is_noted(live, jane):
    told = ask(live, "export").json()["data"]

    assert {
        "customers", "preferences", "notifications", "attempts", "provider_events", "dead_letters", "inbox", "events",
        "orders", "idempotent_answers",
    } <= told.keys()  # fmt: skip
    assert told["customers"][0]["email"] == MAIL
    assert {row["to"] for row in told["notifications"]} == {MAIL, f"{CANARY.upper()}@example.com"}
    assert "person.exported" in [entry["action"] for entry in live.get("/v1/audit/").json()["data"]]


def test_erasure_leaves_the_audit_chain_whole(live, jane, acme):
    from monitoring import audit_chain

    ask(live, "erase")
    finish()

    [found] = audit_chain.verify([acme.tenant.id])
    assert found.is_sound
    assert suppressions.address_hash(acme.tenant.id, MAIL)  # by which the promise is kept


@pytest.mark.parametrize("what", ["export", "erase"])
def test_nobody_named_is_a_problem(live, what):
    answer = live.post(f"/v1/people/{what}/", {})

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


@pytest.mark.parametrize("what", ["export", "erase"])
def test_test_key_reaches_nobody(sandbox, jane, what):
    answer = ask(sandbox, what)

    assert (answer.status_code, answer.json()["code"]) == (403, "live_key_needed")
    assert Customer.objects.filter(user_id=USER).exists()


def test_erasure_of_another_tenant_is_not_there(live, jane):
    from tenants.services import register

    begun = ask(live, "erase")
    globex = client_with(register("Globex", "ops@globex.test").api_key)

    assert globex.get(begun["Location"]).status_code == 404
