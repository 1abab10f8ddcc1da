"""A template that is edited holds for the very next message, whoever remembers the words before."""

import pytest

from notification_processor import remembered_templates
from notification_processor.bounded_memory import BoundedMemory
from notification_processor.models import MessageTemplate
from notification_processor.templates import revise

WELCOME = {"name": "welcome_email", "channel": "email", "subject": "Hi", "body": "First words."}
SEND = {"channel": "email", "to": "user@example.com", "template": "welcome_email"}


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch):
    monkeypatch.setattr(remembered_templates, "_versions", BoundedMemory(remembered_templates.MOST))


@pytest.fixture
def template(sandbox):
    sandbox.post("/v1/templates/", WELCOME)
    return MessageTemplate.objects.get(name="welcome_email", archived_at=None)


def words_sent(api, **changes):
    answer = api.post("/v1/notify/", SEND | changes)
    assert answer.status_code == 202, answer.json()
    return caught(api, answer.json()["id"])


def caught(api, message_id):
    (body,) = [m["body"] for m in api.get("/v1/sandbox/messages/").json()["data"] if m["id"] == message_id]
    return body


def test_words_are_remembered_and_cost_no_query(sandbox, template, django_assert_num_queries):
    words_sent(sandbox)

    with django_assert_num_queries(0):
        source, condition = remembered_templates.find(template.tenant_id, "welcome_email", "email", locale="")

    assert (source.body, condition is not None) == ("First words.", True)


def test_an_edit_by_another_process_holds_for_the_next_message(sandbox, template):
    assert words_sent(sandbox) == "First words."

    revise(template, {"body": "Second words."})

    assert words_sent(sandbox) == "Second words."
    assert words_sent(sandbox) == "Second words."


def test_a_locale_that_is_added_later_is_found(sandbox, template):
    assert words_sent(sandbox, locale="de") == "First words."

    sandbox.post("/v1/templates/", WELCOME | {"locale": "de", "body": "Auf Deutsch."})

    assert words_sent(sandbox, locale="de") == "Auf Deutsch."
    assert words_sent(sandbox, locale="en") == "First words."


def test_a_template_that_is_archived_is_unknown_at_once(sandbox, template):
    words_sent(sandbox)

    sandbox.delete(f"/v1/templates/{template.id}/")

    answer = sandbox.post("/v1/notify/", SEND)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_template")


def test_a_template_of_the_same_name_in_place_of_an_archived_one_is_used(sandbox, template):
    words_sent(sandbox)
    sandbox.delete(f"/v1/templates/{template.id}/")

    sandbox.post("/v1/templates/", WELCOME | {"body": "Third words."})

    assert words_sent(sandbox) == "Third words."


def test_an_edit_holds_for_a_request_with_an_idempotency_key(sandbox, template):
    words_sent(sandbox)
    revise(template, {"body": "Second words."})

    answer = sandbox.post("/v1/notify/", SEND, headers={"Idempotency-Key": "once"})

    assert answer.status_code == 202
    assert caught(sandbox, answer.json()["id"]) == "Second words."
