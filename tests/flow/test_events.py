"""Events from the door to the sandbox, through every stage, run inline."""

import pytest

from notification_processor.models import Event

ANN = {"user_id": "ann", "name": "Ann", "email": "ann@example.com"}


def post_event(api, **fields):
    body = {"event_type": "ORDER_CREATED", "user_id": "ann", "payload": {"order_id": 7}} | fields
    return api.post("/api/events/", {k: v for k, v in body.items() if v is not None})


def logs_of(api, event_id):
    rows = api.get(f"/v1/notifications/?event_id={event_id}").json()["data"]
    return {row["channel"]: row for row in rows}


def test_event_without_workflow_reaches_the_default_channels_with_the_built_in_layout(sandbox):
    answer = post_event(sandbox, user_id=None, recipients=[ANN])

    assert answer.status_code == 202
    event = answer.json()
    assert event["status"] == "accepted"
    caught = sandbox.get(f"/v1/sandbox/messages/?event_id={event['id']}&channel=email").json()["data"]
    assert [(m["to"], m["subject"]) for m in caught] == [("ann@example.com", "Order created")]
    assert caught[0]["body"] == "Hi Ann,\n\nOrder created:\n\norder id: 7\n"
    assert {c: row["status"] for c, row in logs_of(sandbox, event["id"]).items()} == {"email": "sent", "in_app": "sent"}
    detail = sandbox.get(event["links"]["self"]).json()
    assert (detail["status"], detail["counts"]) == ("completed", {"sent": 2})


def test_event_with_workflow_uses_its_template_in_the_customers_locale(sandbox):
    for locale, body in (
        ("en", "Hello {{ customer.name }}, order {{ order_id }}"),
        ("de", "Hallo {{ customer.name }}"),
    ):
        template = {"name": "order", "channel": "email", "locale": locale, "subject": "Order", "body": body}
        assert sandbox.post("/v1/templates/", template).status_code == 201
    workflow = {"event_type": "ORDER_CREATED", "channels": ["email"], "template": "order", "category": "orders"}
    assert sandbox.post("/v1/workflows/", workflow).status_code == 201
    people = [ANN, {"user_id": "uwe", "name": "Uwe", "email": "uwe@example.com", "locale": "de-AT"}]

    event = post_event(sandbox, user_id=None, recipients=people).json()

    caught = sandbox.get(f"/v1/sandbox/messages/?event_id={event['id']}").json()["data"]
    assert sorted(m["body"] for m in caught) == ["Hallo Uwe", "Hello Ann, order 7"]


def test_event_for_a_channel_turned_off_is_suppressed_by_the_rule_that_decided(sandbox):
    sandbox.post("/api/v1/customers/", ANN)
    sandbox.put("/v1/preferences/ann/", {"channels": {"email": False}})

    event = post_event(sandbox, channels=["email", "in_app"]).json()

    logs = logs_of(sandbox, event["id"])
    assert (logs["email"]["status"], logs["email"]["reason"]) == ("suppressed", "channel_choice")
    assert logs["in_app"]["status"] == "sent"
    story = sandbox.get(f"/v1/notifications/{logs['email']['id']}/").json()["timeline"]
    assert [step["what"] for step in story] == ["accepted", "suppressed"]
    assert story[1]["detail"] == "The customer turned email off."


def test_event_that_is_critical_ignores_preferences(sandbox):
    sandbox.post("/api/v1/customers/", ANN)
    sandbox.put("/v1/preferences/ann/", {"channels": {"email": False}})
    sandbox.post("/v1/workflows/", {"event_type": "ORDER_CREATED", "channels": ["email"], "critical": True})

    event = post_event(sandbox).json()

    assert logs_of(sandbox, event["id"])["email"]["status"] == "sent"


def test_event_without_an_address_says_so(sandbox):
    event = post_event(sandbox, user_id="nobody", channels=["email"]).json()

    (row,) = logs_of(sandbox, event["id"]).values()
    assert (row["status"], row["reason"]) == ("suppressed", "no_address")


def test_event_whose_template_misses_a_variable_fails_with_one_dead_letter(sandbox):
    template = {"name": "ORDER_CREATED", "channel": "email", "subject": "x", "body": "Hi\n{{ order.nmber }}"}
    sandbox.post("/v1/templates/", template)

    event = post_event(
        sandbox, user_id=None, recipients=[ANN], channels=["email"], payload={"order": {"number": 1}}
    ).json()

    (row,) = logs_of(sandbox, event["id"]).values()
    assert (row["status"], row["error"]["code"]) == ("failed", "template_error")
    assert 'body, line 2: the variable "nmber" is missing. Did you mean "number"?' in row["error"]["detail"]
    (letter,) = sandbox.get("/v1/dead-letters/").json()["data"]
    assert (letter["notification"]["id"], letter["code"], letter["retry_count"]) == (row["id"], "template_error", 0)


def test_event_for_topic_all_reaches_every_customer_once(sandbox):
    people = [{"user_id": f"u{i}", "email": f"u{i}@example.com"} for i in range(2_300)]
    for start in range(0, len(people), 1_000):
        sandbox.post("/api/v1/customers/batch/", {"customers": people[start : start + 1_000]})

    event = post_event(sandbox, user_id=None, topic="all", channels=["email"]).json()

    assert sandbox.get(event["links"]["self"]).json()["counts"] == {"sent": 2_300}


def test_event_later_waits_for_its_time(sandbox):
    event = post_event(sandbox, user_id=None, recipients=[ANN], send_at="2099-01-01T00:00:00Z").json()

    assert sandbox.get(event["links"]["self"]).json()["status"] == "accepted"
    assert logs_of(sandbox, event["id"]) == {}


def test_event_with_a_used_idempotency_key_is_answered_with_the_first(sandbox):
    first = post_event(sandbox, user_id=None, recipients=[ANN], idempotency_key="k1")
    again = post_event(sandbox, user_id=None, recipients=[ANN], idempotency_key="k1")
    other = post_event(sandbox, user_id=None, recipients=[ANN], idempotency_key="k1", payload={"order_id": 8})

    assert (again.status_code, again.json()["id"], again["Idempotent-Replayed"]) == (202, first.json()["id"], "true")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Event.objects.count() == 1


def test_event_batch_judges_each_item_alone(sandbox):
    good = {"event_type": "A", "recipients": [ANN], "idempotency_key": "k"}
    items = [good, {"event_type": "A"}, good, {"event_type": "A", "user_id": "x", "chanels": []}]

    answer = sandbox.post("/api/events/batch/", {"events": items})

    results = answer.json()["results"]
    assert answer.status_code == 202
    assert [r["status"] for r in results] == ["accepted", "rejected", "duplicate", "rejected"]
    assert results[0]["id"] == results[2]["id"]
    assert 'Did you mean "channels"?' in results[3]["problem"]["detail"]


def test_event_batch_with_nothing_good_is_refused(sandbox):
    answer = sandbox.post("/api/events/batch/", {"events": [{}, 7]})

    assert (answer.status_code, answer.json()["code"]) == (400, "batch_rejected")
    assert Event.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"user_id": None}, "Say who it is for"),
        ({"topic": "all"}, "Say who it is for"),
        ({"user_id": None, "topic": "news"}, 'There is no topic "news"'),
        ({"channels": ["emial"]}, 'Did you mean "email"?'),
        ({"event_type": "two words"}, "Use letters"),
        ({"user_id": None, "recipients": [{"user_id": "x", "email": "bob@"}]}, "bob@"),
        ({"user_id": None, "recipients": ["u"] * 1_001}, "one event takes 1,000"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "is not after"),
        ({"payload": [1]}, "dictionary"),
        ({"evnt": 1}, 'There is no field "evnt"'),
    ],
)
def test_event_that_is_wrong_is_a_problem_and_leaves_no_row(sandbox, fields, words):
    answer = post_event(sandbox, **fields)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert any(words in error["detail"] for error in answer.json()["errors"])
    assert Event.objects.count() == 0
