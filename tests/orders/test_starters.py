"""What a new tenant starts with, and how it gives way to the tenant's own."""

import pytest
from django.db import transaction

from notification_processor import starters
from notification_processor.models import MessageTemplate, Workflow
from notification_processor.starter_templates import TEMPLATES
from tenants.models import Tenant
from tenants.services import create_tenant, register

OWN = {"channel": "email", "subject": "Ours", "body": "Our own words."}
WORKFLOW = {
    "event_type": "ORDER_CREATED",
    "channels": ["email", "slack"],
    "template": "order_created",
    "category": "orders",
}


def listed(api, path, **wanted):
    rows = api.get(path, {"limit": 200}).json()["data"]
    return [row for row in rows if wanted.items() <= row.items()]


def notify(api, template, **data):
    body = {"channel": "email", "to": "ann@example.com", "template": template, "data": data}
    return api.post("/v1/notify/", body)


def caught(api):
    return api.get("/v1/sandbox/messages/").json()["data"][0]


def test_new_tenant_has_the_starters(sandbox):
    found = {(t["name"], t["channel"], t["version"]) for t in listed(sandbox, "/v1/templates/", is_starter=True)}

    assert found == {(starter.name, channel, 1) for starter in TEMPLATES for channel in starter.channels}
    assert {name for name, _, _ in found} == {
        "order_created",
        "order_status_changed",
        "welcome",
        "password_reset",
        "plain",
        "quiet_hours_digest",
    }
    workflows = listed(sandbox, "/v1/workflows/", is_starter=True, channels=[], category="orders")
    assert {(w["event_type"], w["template"]) for w in workflows} == {
        ("ORDER_CREATED", "order_created"),
        ("ORDER_STATUS_CHANGED", "order_status_changed"),
    }


def test_registration_that_cannot_give_starters_leaves_nothing(db, monkeypatch):
    monkeypatch.setattr(starters, "_version", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        register("Acme", "ops@acme.test")

    assert not Tenant.objects.exists()
    assert not MessageTemplate.objects.exists()


def test_own_workflow_takes_the_place_of_the_starter(sandbox):
    first, again = (sandbox.post("/v1/workflows/", WORKFLOW) for _ in range(2))

    assert (first.status_code, first.json()["is_starter"]) == (201, False)
    assert (again.status_code, again.json()["code"]) == (409, "workflow_exists")
    (only,) = listed(sandbox, "/v1/workflows/", event_type="ORDER_CREATED")
    assert only == first.json()


def test_own_template_takes_the_place_of_the_starter(sandbox):
    first, again = (sandbox.post("/v1/templates/", OWN | {"name": "order_created"}) for _ in range(2))

    assert (first.status_code, first.json()["version"], first.json()["is_starter"]) == (201, 1, False)
    assert (again.status_code, again.json()["code"]) == (409, "template_exists")
    (only,) = listed(sandbox, "/v1/templates/", name="order_created", channel="email")
    assert only == first.json()


def test_own_template_in_another_locale_stands_beside_the_starter(sandbox):
    assert sandbox.post("/v1/templates/", OWN | {"name": "welcome", "locale": "de"}).status_code == 201

    found = listed(sandbox, "/v1/templates/", name="welcome", channel="email")
    assert {(t["locale"], t["is_starter"]) for t in found} == {("en", True), ("de", False)}


def test_own_template_of_a_refused_text_leaves_the_starter(sandbox):
    answer = sandbox.post("/v1/templates/", OWN | {"name": "welcome", "body": "{{"})

    assert answer.status_code == 400
    assert listed(sandbox, "/v1/templates/", name="welcome", channel="email", is_starter=True)


def test_changed_starter_is_the_tenants_own(sandbox):
    (template,) = listed(sandbox, "/v1/templates/", name="welcome", channel="email")
    (workflow,) = listed(sandbox, "/v1/workflows/", event_type="ORDER_CREATED")

    text = sandbox.patch(f"/v1/templates/{template['id']}/", {"subject": "Hello"}).json()
    meaning = sandbox.patch(f"/v1/workflows/{workflow['id']}/", {"category": "shop"}).json()

    assert (text["version"], text["is_starter"], meaning["is_starter"]) == (2, False, False)
    assert sandbox.post("/v1/templates/", OWN | {"name": "welcome"}).status_code == 409
    assert sandbox.post("/v1/workflows/", WORKFLOW).status_code == 409


def test_starter_can_be_deleted(sandbox):
    (workflow,) = listed(sandbox, "/v1/workflows/", event_type="ORDER_CREATED")
    for template in listed(sandbox, "/v1/templates/"):
        assert sandbox.delete(f"/v1/templates/{template['id']}/").status_code == 204
    assert sandbox.delete(f"/v1/workflows/{workflow['id']}/").status_code == 204

    assert listed(sandbox, "/v1/templates/") == []
    assert Workflow.objects.filter(event_type="ORDER_CREATED").count() == 0


def test_welcome_greets_by_the_name_it_is_given(sandbox):
    notify(sandbox, "welcome", name="Ann <3", url="https://example.com/start")

    message = caught(sandbox)
    assert message["subject"] == "Welcome to Acme"
    assert message["body"] == (
        "Hi Ann <3,\n\nwelcome to Acme. It is good to have you here.\n\nStart here: https://example.com/start\n"
    )
    assert "<p>Hi Ann &lt;3,</p>" in message["html"]
    assert 'href="https://example.com/start"' in message["html"]


def test_welcome_needs_nothing_at_all(sandbox):
    notify(sandbox, "welcome")

    assert caught(sandbox)["body"] == "Hi,\n\nwelcome to Acme. It is good to have you here.\n"


def test_password_reset_has_the_link_and_how_long_it_lasts(sandbox):
    notify(sandbox, "password_reset", url="https://example.com/r?a=1&b=2", expires_in="30 minutes")

    message = caught(sandbox)
    assert message["subject"] == "Choose a new password"
    assert "\n\nhttps://example.com/r?a=1&b=2\n\nThe link works for 30 minutes. If it was" in message["body"]
    assert 'href="https://example.com/r?a=1&amp;b=2"' in message["html"]


@pytest.mark.parametrize("template", ["welcome", "password_reset"])
def test_link_that_would_run_as_a_script_leads_nowhere(sandbox, template):
    notify(sandbox, template, url="javascript:alert(1)")

    html = caught(sandbox)["html"]
    assert 'href="#"' in html
    assert "javascript" not in html


def test_password_reset_without_its_link_is_refused_at_the_door(sandbox):
    answer = notify(sandbox, "password_reset")

    assert answer.status_code == 400
    assert 'the variable "url" is missing' in answer.json()["detail"]


def test_plain_says_the_message(sandbox):
    notify(sandbox, "plain", message="Back at 5.\nBye")

    assert (caught(sandbox)["subject"], caught(sandbox)["body"]) == ("A message from Acme", "Back at 5.\nBye\n")


@pytest.mark.parametrize("channel", ["slack", "teams", "telegram", "in_app"])
def test_plain_is_there_for_chat_too(sandbox, channel):
    sandbox.post("/api/v1/customers/", {"user_id": "ann"})
    body = {"channel": channel, "user_id": "ann", "template": "plain", "data": {"subject": "S", "message": "M"}}

    assert sandbox.post("/v1/notify/", body).status_code == 202


def test_starters_are_given_in_three_statements(db, django_assert_num_queries):
    tenant = create_tenant("Acme", "ops@acme.test")

    with transaction.atomic(), django_assert_num_queries(3):
        starters.give_starters(tenant=tenant)
