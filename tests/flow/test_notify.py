"""Direct sends from the door to the sandbox, run inline."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from tests.conftest import client_with

WELCOME = {"name": "welcome_email", "channel": "email", "subject": "Hi {{ name }}", "body": "Welcome, {{ name }}."}
INLINE = {"channel": "email", "to": "user@example.com", "subject": "Hello", "body": "It works."}


def notify(api, **fields):
    return api.post("/v1/notify/", {k: v for k, v in (INLINE | fields).items() if v is not None})


def test_notify_with_a_template_sends_the_rendered_words(sandbox):
    sandbox.post("/v1/templates/", WELCOME)

    answer = sandbox.post(
        "/v1/notify/",
        {"channel": "email", "to": "user@example.com", "template": "welcome_email", "data": {"name": "Ann"}},
    )

    receipt = answer.json()
    assert (answer.status_code, receipt["status"], receipt["channel"]) == (202, "pending", "email")
    assert answer["Location"] == receipt["links"]["self"]
    (caught,) = sandbox.get("/v1/sandbox/messages/?to=user@example.com").json()["data"]
    assert (caught["id"], caught["subject"], caught["body"]) == (receipt["id"], "Hi Ann", "Welcome, Ann.")
    story = sandbox.get(receipt["links"]["self"]).json()
    assert (story["status"], story["template"], story["template_version"]) == ("sent", "welcome_email", 1)
    assert [step["what"] for step in story["timeline"]] == ["accepted", "routed", "attempt: sent"]


def test_notify_inline_words_are_sent_as_they_are(sandbox):
    notify(sandbox, body="Use {{ code }} & <b>")

    (caught,) = sandbox.get("/v1/sandbox/messages/").json()["data"]
    assert caught["body"] == "Use {{ code }} & <b>"


def test_notify_inline_words_with_data_are_filled_in(sandbox):
    notify(sandbox, body="Use {{ code }}", data={"code": 7})

    assert sandbox.get("/v1/sandbox/messages/").json()["data"][0]["body"] == "Use 7"


def test_notify_to_a_customer_obeys_their_choice(sandbox):
    sandbox.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
    sandbox.put("/v1/preferences/ann/", {"channels": {"email": False}})

    receipt = notify(sandbox, to=None, user_id="ann").json()

    row = sandbox.get(receipt["links"]["self"]).json()
    assert (row["status"], row["reason"], row["detail"]) == (
        "suppressed",
        "channel_choice",
        "The customer turned email off.",
    )


def test_notify_later_waits_and_can_be_cancelled(sandbox):
    receipt = notify(sandbox, send_at="2099-01-01T00:00:00Z").json()

    assert sandbox.get(receipt["links"]["self"]).json()["status"] == "scheduled"
    assert sandbox.post(f"/v1/notifications/{receipt['id']}/cancel/").json()["status"] == "cancelled"
    again = sandbox.post(f"/v1/notifications/{receipt['id']}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "not_cancellable")


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        (
            {"template": "welcom_email", "subject": None, "body": None},
            "unknown_template",
            'Did you mean "welcome_email"?',
        ),
        (
            {"template": "welcome_email", "subject": None, "body": None, "data": {"nme": "x"}},
            "validation_error",
            'the variable "name" is missing. Did you mean "nme"?',
        ),
        ({"to": "bob@"}, "validation_error", "bob@"),
        ({"to": None}, "validation_error", "Send either to"),
        ({"to": None, "user_id": "ghost"}, "validation_error", 'no customer with user_id "ghost"'),
        ({"channel": "emal"}, "validation_error", 'Did you mean "email"?'),
        ({"body": None}, "validation_error", "Send a template's name, or inline words"),
        ({"template": "welcome_email"}, "validation_error", "A template brings its own words"),
        ({"body": "{{ x", "data": {}}, "validation_error", "body, line 1"),
    ],
)
def test_notify_that_is_wrong_is_a_problem_and_leaves_no_row(sandbox, fields, code, words):
    sandbox.post("/v1/templates/", WELCOME)

    answer = notify(sandbox, **fields)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert words in answer.json()["detail"]
    assert NotificationLog.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b" ", 400, "malformed_json"),
        (b'{"channel": }', 400, "malformed_json"),
        (b"[" * 100_000, 400, "json_too_deep"),
        (b'{"a": NaN}', 400, "malformed_json"),
        (b'{"a": "\\u0000"}', 400, "malformed_json"),
        (b'{"a": "\\ud800"}', 400, "malformed_json"),
        (b'\xff\xfe{"a": 1}', 400, "malformed_json"),
        (b'{"a": "' + b"x" * 1_000_000 + b'"}', 413, "payload_too_large"),
        (b"[]", 400, "validation_error"),
        (b'"text"', 400, "validation_error"),
    ],
    ids=["empty", "broken", "deep", "nan", "nul", "surrogate", "utf-16", "1 MB", "array", "text"],
)
def test_notify_with_a_hostile_body_is_a_problem(sandbox, body, status, code):
    answer = sandbox.generic("POST", "/v1/notify/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"


def test_notify_without_slash_works(sandbox):
    assert sandbox.post("/v1/notify", INLINE).status_code == 202


def test_notify_with_another_content_type_is_refused(sandbox):
    answer = sandbox.generic("POST", "/v1/notify/", b"a=1", content_type="application/x-www-form-urlencoded")

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_notify_with_another_tenants_id_is_not_found(sandbox, acme):
    from tenants.services import register

    receipt = notify(sandbox).json()
    other = client_with(register("Other", "ops@other.test").test_api_key)

    for path in (receipt["links"]["self"], f"/v1/notifications/{receipt['id']}/cancel/"):
        answer = other.get(path) if not path.endswith("cancel/") else other.post(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_notify_batch_judges_each_item_alone(sandbox):
    sandbox.post("/v1/templates/", WELCOME)
    items = [INLINE, INLINE | {"to": "bob@"}, {"channel": "email", "to": "a@example.com", "template": "nope"}, 7]

    answer = sandbox.post("/v1/notify/batch/", {"notifications": items})

    assert answer.status_code == 202
    assert [r["status"] for r in answer.json()["results"]] == ["accepted", "rejected", "rejected", "rejected"]
    assert NotificationLog.objects.filter(status="sent").count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite belongs to one thread")
def test_notify_with_one_idempotency_key_from_20_clients_is_one_notification(sandbox, acme):
    def send(_):
        try:
            client = client_with(acme.test_api_key)
            return client.post("/v1/notify/", INLINE, headers={"Idempotency-Key": '"order-17"'})
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    assert {a.status_code for a in answers} <= {202, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 202}) == 1
    assert sum("Idempotent-Replayed" not in a for a in answers if a.status_code == 202) == 1
    assert NotificationLog.objects.count() == 1


@pytest.mark.parametrize(
    ("to", "status", "attempts"),
    [
        ("ok@sim.test", "sent", 1),
        ("bounce@sim.test", "bounced", 1),
        ("gone@sim.test", "failed", 1),
        ("flaky@sim.test", "sent", 3),
    ],
)
def test_notify_simulated_recipient_acts_out_its_outcome(sandbox, settings, to, status, attempts):
    settings.RETRY_SCHEDULE = [0.0, 0.0]
    receipt = notify(sandbox, to=to).json()
    for _ in range(3):  # each request promotes what has come due
        row = sandbox.get(receipt["links"]["self"]).json()

    assert (row["status"], row["attempts"]) == (status, attempts)
