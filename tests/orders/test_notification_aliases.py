"""`/api/v1/notifications/…`: the notification API under its second name."""

import pytest

from delivery_gateway.models import NotificationLog

SEND = "/api/v1/notifications/send/"
INLINE = {"channel": "email", "to": "user@example.com", "subject": "Hello", "body": "It works."}
BOTH = {"customer_id": "ann", "channels": ["email", "telegram"], "message": "On its {{ way }}.", "subject": "Parcel"}


@pytest.fixture
def reachable(sandbox, ann):
    sandbox.patch("/api/v1/customers/ann/", {"addresses": {"telegram": "4711"}})
    return ann


def test_send_is_notify(sandbox):
    answer = sandbox.post(SEND, INLINE)

    receipt = answer.json()
    assert (answer.status_code, receipt["status"], receipt["channel"]) == (202, "pending", "email")
    assert answer["Location"] == receipt["links"]["self"]
    (caught,) = sandbox.get("/v1/sandbox/messages/").json()["data"]
    assert (caught["id"], caught["subject"], caught["body"]) == (receipt["id"], "Hello", "It works.")


@pytest.mark.parametrize("which", ["id", "user_id"])
def test_send_to_a_customer_makes_one_notification_a_channel(sandbox, reachable, which):
    answer = sandbox.post(SEND, BOTH | {"customer_id": reachable[which]})

    receipts = answer.json()["notifications"]
    assert answer.status_code == 202
    assert [(r["channel"], r["status"]) for r in receipts] == [("email", "pending"), ("telegram", "pending")]
    caught = sandbox.get("/v1/sandbox/messages/").json()["data"]
    assert {m["id"] for m in caught} == {r["id"] for r in receipts}
    assert {(m["channel"], m["to"], m["subject"], m["body"]) for m in caught} == {
        ("email", "ann@example.com", "Parcel", "On its {{ way }}."),
        ("telegram", "4711", "Parcel", "On its {{ way }}."),
    }


def test_send_to_a_customer_takes_a_template(sandbox, reachable):
    sandbox.post(SEND, {"customer_id": "ann", "channels": ["email"], "template": "welcome", "data": {"name": "Dr. A"}})

    (caught,) = sandbox.get("/v1/sandbox/messages/").json()["data"]
    assert caught["body"].startswith("Hi Dr. A,")


def test_send_to_a_customer_obeys_their_choices(sandbox, reachable):
    sandbox.put("/v1/preferences/ann/", {"channels": {"telegram": False}})

    sandbox.post(SEND, BOTH)

    rows = {row["channel"]: row["status"] for row in sandbox.get("/v1/notifications/").json()["data"]}
    assert rows == {"email": "sent", "telegram": "suppressed"}


def test_send_twice_with_one_idempotency_key_sends_once(sandbox, reachable):
    first, again = (sandbox.post(SEND, BOTH, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (again.status_code, again["Idempotent-Replayed"], again.json()) == (202, "true", first.json())
    assert NotificationLog.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (BOTH | {"customer_id": "ghost"}, "#/customer_id", 'There is no customer "ghost"'),
        (BOTH | {"channels": ["email", "fax"]}, "#/channels/1", 'There is no channel "fax"'),
        (BOTH | {"channels": []}, "#/channels", "empty"),
        ({"customer_id": "ann", "message": "x"}, "#/channels", "required"),
        ({"customer_id": "ann", "channels": ["email"]}, "#/message", "Send either a message or a template"),
        (BOTH | {"template": "plain"}, "#/message", "Send either a message or a template"),
        ({"customer_id": "ann", "channels": ["email"], "template": "plian"}, "#/template", 'Did you mean "plain"?'),
        (BOTH | {"to": "x@example.com"}, "#/to", "There is no field"),
        ({"channel": "email", "body": "x"}, "#/to", "Send either to"),
        ([], "#", "JSON object"),
    ],
)
def test_send_that_is_wrong_is_a_problem_and_sends_on_no_channel(sandbox, reachable, body, pointer, words):
    answer = sandbox.post(SEND, body)

    assert answer.status_code == 400
    assert any(e["pointer"] == pointer and words in e["detail"] for e in answer.json()["errors"]), answer.json()
    assert NotificationLog.objects.count() == 0


def test_history_is_the_list_of_notifications(sandbox, reachable):
    sandbox.post(SEND, BOTH)

    history = sandbox.get("/api/v1/notifications/history/?channel=email").json()

    assert history == sandbox.get("/v1/notifications/?channel=email").json()
    assert [row["channel"] for row in history["data"]] == ["email"]
    first = sandbox.get("/api/v1/notifications/history/?limit=1").json()
    second = sandbox.get(f"/api/v1/notifications/history/?limit=1&cursor={first['next_cursor']}").json()
    assert {page["data"][0]["channel"] for page in (first, second)} == {"email", "telegram"}


def test_status_is_the_story_of_one_notification(sandbox):
    receipt = sandbox.post(SEND, INLINE).json()

    story = sandbox.get(f"/api/v1/notifications/status/{receipt['id']}/").json()

    assert story == sandbox.get(receipt["links"]["self"]).json()
    assert (story["status"], story["attempts"]) == ("sent", 1)
    missing = sandbox.get("/api/v1/notifications/status/01a00000-0000-7000-8000-000000000000/")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
