"""Why somebody was told of an event, or was not, by what was recorded when it was decided."""

from typing import Any

import pytest
from django.utils import timezone

from delivery_gateway.models import NotificationLog, Suppression
from delivery_gateway.suppressions import address_hash
from tenants import keys
from tenants.services import register
from tests.conftest import client_with, needs_redis
from user_preferences.models import Preference

PLACED = {"event_type": "placed", "user_id": "ann", "payload": {"id": 7}}
SLACK = "https://hooks.example.com/ann"


@pytest.fixture
def api(sandbox: Any) -> Any:
    ann = {"user_id": "ann", "name": "Ann", "email": "ann@example.com", "addresses": {"slack": SLACK}}
    assert sandbox.post("/api/v1/customers/", ann).status_code == 201
    return sandbox


def place(api: Any, **fields: Any) -> str:
    return str(api.post("/api/events/", PLACED | fields).json()["id"])


def explain(api: Any, **asked: Any) -> dict[str, Any]:
    answer = api.get("/v1/explain/", asked)
    assert answer.status_code == 200, answer.json()
    told: dict[str, Any] = answer.json()
    return told


def rules(told: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    return {
        row["channel"]: [(hit["rule"], hit["outcome"]) for hit in row["decisions"]] for row in told["notifications"]
    }


def test_sent_row_names_the_rule_that_let_it_pass_and_who_was_left_out(api):
    told = explain(api, event_id=place(api), user_id="ann")

    default = [("system_default", "allowed")]
    assert rules(told) == {"email": default, "slack": default, "in_app": default}
    assert {out["channel"]: out["rule"] for out in told["left_out"]} == dict.fromkeys(
        ["teams", "telegram", "webhook"], "no_address"
    )
    assert told["summary"] == "ann was told on email and in_app and slack."
    assert told["notifications"][0]["summary"].endswith("UTC. Nobody chose, and email is on by default.")


def test_choices_of_that_time_stand_when_they_change_afterwards(api):
    api.put("/v1/preferences/ann/", {"channels": {"slack": False}, "categories": {"orders": {"email": True}}})
    assert (
        api.post(
            "/v1/workflows/", {"event_type": "placed", "channels": ["email", "slack"], "category": "orders"}
        ).status_code
        == 201
    )
    event = place(api)
    Preference.objects.all().delete()

    told = explain(api, event_id=event, user_id="ann")

    assert rules(told) == {
        "email": [("category_channel_choice", "allowed")],
        "slack": [("channel_choice", "refused")],
    }
    assert {out["rule"] for out in told["left_out"]} == {"not_in_workflow"}
    assert told["summary"] == "ann was told on email. slack: It was not sent. The customer turned slack off."


def test_suppressed_address_was_wanted_and_refused(api, acme):
    digest = address_hash(acme.tenant.id, "ann@example.com")
    Suppression.objects.create(tenant=acme.tenant, channel="email", address_hash=digest, reason="complaint")

    told = explain(api, event_id=place(api, channels=["email"]), user_id="ann")

    assert rules(told) == {"email": [("system_default", "allowed"), ("address_suppressed", "refused")]}
    assert {out["rule"] for out in told["left_out"]} == {"not_asked_for"}
    assert "ann@" not in str(told["summary"])


def test_duplicate_names_the_first_event(api):
    workflow = {"event_type": "placed", "channels": ["email"], "dedup_key": "id", "dedup_window": 60}
    assert api.post("/v1/workflows/", workflow).status_code == 201
    first, second = place(api), place(api)

    told = explain(api, event_id=second, user_id="ann")

    assert rules(told)["email"][-1] == ("duplicate", "refused")
    assert first in told["summary"]


def test_template_error_tells_the_variable(api):
    template = {"name": "placed", "channel": "email", "subject": "Hi", "body": "{{ nowhere }}"}
    assert api.post("/v1/templates/", template).status_code == 201

    told = explain(api, event_id=place(api, channels=["email"]), user_id="ann")

    assert rules(told)["email"] == [("system_default", "allowed"), ("template_error", "failed")]
    assert '"nowhere" is missing' in told["summary"]


@needs_redis
def test_delay_is_told_while_it_lasts_and_after(api, settings):
    settings.RECIPIENT_RATE_LIMIT = "1/h"
    settings.REDIS_KEY_PREFIX = f"explain-{timezone.now().timestamp()}:"
    place(api, channels=["email"])
    event = place(api, channels=["email"])
    waiting = explain(api, event_id=event, user_id="ann")
    NotificationLog.objects.filter(event_id=event).update(due_at=timezone.now())
    settings.RECIPIENT_RATE_LIMIT = ""
    place(api, channels=["email"])  # each request promotes what is due

    after = explain(api, event_id=event, user_id="ann")

    assert rules(waiting)["email"] == [("system_default", "allowed"), ("recipient_rate_limit", "delayed")]
    assert waiting["notifications"][0]["decisions"][1]["until"] is not None
    assert after["notifications"][0]["status"] == "sent"
    assert rules(after)["email"] == [("system_default", "allowed"), ("recipient_rate_limit", "delayed")]


@pytest.mark.parametrize(
    ("user_id", "fields", "said"),
    [
        ("bob", {}, "bob is not among the recipients of this event."),
        ("ann", {"send_at": "2099-01-01T00:00:00Z"}, "Nothing is decided yet: the event is due at 2099-01-01"),
        ("bob", {"user_id": None, "topic": "all"}, "bob got nothing: not a customer when the event was routed"),
    ],
)
def test_nobody_told_is_explained(api, user_id, fields, said):
    body = {name: value for name, value in (PLACED | fields).items() if value is not None}
    event = api.post("/api/events/", body).json()["id"]

    told = explain(api, event_id=event, user_id=user_id)

    assert told["summary"].startswith(said)
    assert told["notifications"] == []


def test_switched_off_workflow_and_channels_that_it_lacks_are_explained(api):
    workflow = api.post("/v1/workflows/", {"event_type": "placed", "channels": ["slack"]}).json()
    lacking = explain(api, event_id=place(api, channels=["email"]), user_id="ann")
    api.patch(f"/v1/workflows/{workflow['id']}/", {"is_active": False})
    off = explain(api, event_id=place(api), user_id="ann")

    assert lacking["summary"].startswith("The event asked for channels that the workflow does not have")
    assert off["summary"] == 'The workflow for "placed" was switched off, so nobody was told.'


def test_direct_sends_are_explained_by_notification(api):
    mail = {"channel": "email", "to": "ann@example.com", "body": "Hi"}
    to_address = api.post("/v1/notify/", mail).json()["id"]
    to_ann = api.post("/v1/notify/", {"channel": "telegram", "user_id": "ann", "body": "Hi"}).json()["id"]

    first, second = (explain(api, notification_id=one) for one in (to_address, to_ann))

    assert rules(first) == {"email": [("to_an_address", "allowed")]}
    assert rules(second) == {"telegram": [("no_address", "refused")]}
    assert second["summary"] == "It was not sent. There is no telegram address for this customer."
    detail = api.get(f"/v1/notifications/{to_ann}/").json()
    assert (detail["summary"], detail["decisions"][0]["rule"]) == (second["summary"], "no_address")


def test_notification_is_explained_with_its_event(api):
    event = place(api)
    row = NotificationLog.objects.get(event_id=event, channel="email")

    assert explain(api, notification_id=row.id) == explain(api, event_id=event, user_id="ann")


def test_another_tenants_event_is_not_found(api):
    event = place(api)
    row = NotificationLog.objects.filter(event_id=event)[0]
    other = client_with(register("Globex", "ops@globex.test").api_key)

    for asked in ({"event_id": event, "user_id": "ann"}, {"notification_id": str(row.id)}):
        assert other.get("/v1/explain/", asked).status_code == 404


def test_address_is_masked_without_pii(api, acme):
    _, raw = keys.issue(acme.tenant, "test", name="Reader", scopes=["read"])

    told = explain(client_with(raw), event_id=place(api), user_id="ann")

    assert told["notifications"][0]["to"] == "a•••@example.com"
    assert SLACK not in str(told)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "invalid_filter"),
        ({"user_id": "ann"}, "invalid_filter"),
        ({"event_id": "x", "user_id": "ann"}, "invalid_filter"),
        ({"event": "x"}, "unknown_parameter"),
    ],
)
def test_faulty_question_is_told_what_is_missing(api, asked, code):
    answer = api.get("/v1/explain/", asked)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
