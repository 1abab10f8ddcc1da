"""What a dry run answers, and what it leaves alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from event_intake import wicket
from notification_processor.models import Event, SeenKey
from tenants import keys
from tenants.models import IdempotencyRecord
from tests.conftest import client_with, needs_redis
from user_preferences.models import Customer

EVENTS, NOTIFY, ALIAS = "/api/events/", "/v1/notify/", "/api/v1/notifications/send/"
PLACED = {"event_type": "placed", "user_id": "ann", "payload": {"id": 7}}
MAIL = {"channel": "email", "to": "ann@example.com", "subject": "Hi", "body": "there"}


@pytest.fixture
def api(sandbox: Any) -> Any:
    ann = {"user_id": "ann", "name": "Ann", "email": "ann@example.com"}
    assert sandbox.post("/api/v1/customers/", ann).status_code == 201
    return sandbox


def dry(api: Any, path: str, body: dict[str, Any], query: str = "dry_run=true", **headers: str) -> dict[str, Any]:
    answer = api.post(f"{path}?{query}", body, headers=headers)
    assert answer.status_code == 200, answer.json()
    told: dict[str, Any] = answer.json()
    return told


def of_channel(told: dict[str, Any], channel: str) -> dict[str, Any]:
    (row,) = [row for row in told["notifications"] if row["channel"] == channel]
    return dict(row)


def test_event_names_recipients_texts_rules_and_who_is_left_out(api):
    told = dry(api, EVENTS, PLACED)

    row = of_channel(told, "email")
    assert (row["user_id"], row["to"], row["status"], row["due_at"]) == ("ann", "ann@example.com", "queued", None)
    assert "id: 7" in row["body"]
    assert row["decisions"] == [
        {"rule": "system_default", "outcome": "allowed", "detail": "Nobody chose, and email is on by default."}
    ]
    assert {out["channel"]: out["rule"] for out in told["left_out"]} == dict.fromkeys(
        ["slack", "teams", "telegram", "webhook"], "no_address"
    )
    assert (told["status"], told["has_more"], told["note"]) == ("accepted", False, None)


@pytest.mark.parametrize(("path", "body"), [(EVENTS, PLACED), (NOTIFY, MAIL), (ALIAS, MAIL)])
def test_nothing_is_stored_and_the_key_stays_free(api, path, body):
    dry(api, path, body, idempotency_key="k-1")

    assert [model.objects.count() for model in (Event, NotificationLog, IdempotencyRecord, SeenKey)] == [0, 0, 0, 0]
    assert Customer.objects.count() == 1
    assert api.post(path, body, headers={"idempotency-key": "k-1"}).status_code == 202


def test_small_door_leaves_it_to_the_view(api):
    answer = api.post(f"{NOTIFY}?dry_run=1", MAIL)

    assert (answer.status_code, NotificationLog.objects.count()) == (200, 0)
    assert answer.wsgi_request.resolver_match is not wicket.view_at(NOTIFY)


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=", "dryrun=true", "dry-run=true", "Dry_Run=true"])
@pytest.mark.parametrize(("path", "body"), [(EVENTS, PLACED), (NOTIFY, MAIL)])
def test_misspelt_dry_run_sends_nothing(api, path, body, query):
    answer = api.post(f"{path}?{query}", body)

    assert (answer.status_code, answer.json()["code"]) in ((400, "invalid_filter"), (400, "unknown_parameter"))
    assert (NotificationLog.objects.count(), Event.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("path", "body"), [("/api/events/batch/", {"events": [PLACED]}), ("/v1/notify/batch/", {"notifications": [MAIL]})]
)
def test_batch_has_no_dry_run_and_says_so(api, path, body):
    answer = api.post(f"{path}?dry_run=true", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
    assert (NotificationLog.objects.count(), Event.objects.count()) == (0, 0)


def test_unknown_template_is_the_problem_of_the_real_call(api):
    body = {"channel": "email", "to": "ann@example.com", "template": "nope"}

    answer = api.post(f"{NOTIFY}?dry_run=true", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_template")


def test_key_that_may_not_read_sees_no_texts(api, acme):
    _, raw = keys.issue(acme.tenant, "test", name="Sender", scopes=["send"])

    answer = client_with(raw).post(f"{EVENTS}?dry_run=true", PLACED)

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_address_is_masked_without_pii(api, acme):
    _, raw = keys.issue(acme.tenant, "test", name="Reader", scopes=["send", "read"])

    told = dry(client_with(raw), EVENTS, PLACED)

    assert of_channel(told, "email")["to"] == "a•••@example.com"


@pytest.mark.parametrize(("path", "body"), [(EVENTS, PLACED), (NOTIFY, MAIL)])
def test_send_at_is_the_due_time(api, path, body):
    later = timezone.now() + timedelta(days=2)

    row = of_channel(dry(api, path, body | {"send_at": later.isoformat()}), "email")

    assert (row["status"], row["reason"], row["due_at"][:16]) == ("scheduled", "send_at", later.isoformat()[:16])


def test_used_idempotency_key_is_a_duplicate(api):
    first = api.post(EVENTS, PLACED | {"idempotency_key": "k"}).json()

    told = dry(api, EVENTS, PLACED | {"idempotency_key": "k"})
    other = api.post(f"{EVENTS}?dry_run=true", PLACED | {"idempotency_key": "k", "event_type": "other"})

    assert (told["status"], told["id"], told["notifications"]) == ("duplicate", first["id"], [])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_inline_recipient_is_rendered_and_not_kept(api):
    body = {"event_type": "placed", "recipients": [{"user_id": "bob", "name": "Bob", "email": "bob@example.com"}]}

    row = of_channel(dry(api, EVENTS, body), "email")

    assert (row["to"], row["body"].startswith("Hi Bob")) == ("bob@example.com", True)
    assert not Customer.objects.filter(user_id="bob").exists()


def test_switched_off_workflow_is_noted(api):
    assert api.post("/v1/workflows/", {"event_type": "placed", "is_active": False}).status_code == 201

    told = dry(api, EVENTS, PLACED)

    assert (told["notifications"], told["note"]) == ([], 'The workflow for "placed" is switched off.')


def test_long_audience_is_cut_and_says_so(api):
    people = [{"user_id": f"u{n}", "email": f"u{n}@example.com"} for n in range(120)]
    assert api.post("/api/v1/customers/batch/", {"customers": people}).status_code == 200

    told = dry(api, EVENTS, {"event_type": "placed", "topic": "all", "channels": ["email"]})

    assert (len(told["notifications"]), told["has_more"]) == (100, True)


@needs_redis
@pytest.mark.parametrize(("path", "body"), [(EVENTS, PLACED | {"channels": ["email"]}), (NOTIFY, MAIL)])
def test_turn_under_the_recipients_limit_is_looked_at_and_not_taken(api, settings, path, body):
    settings.RECIPIENT_RATE_LIMIT = "1/h"
    settings.REDIS_KEY_PREFIX = f"dry-{timezone.now().timestamp()}:"

    before = [of_channel(dry(api, path, body), "email")["status"] for _ in range(2)]
    assert api.post(path, body).status_code == 202
    after = of_channel(dry(api, path, body), "email")

    assert before == ["queued", "queued"]
    assert (after["status"], after["reason"]) == ("scheduled", "recipient_rate_limit")
    assert after["due_at"] > (timezone.now() + timedelta(minutes=59)).isoformat()[:19]
    assert [hit["outcome"] for hit in after["decisions"]] == ["allowed", "delayed"]
