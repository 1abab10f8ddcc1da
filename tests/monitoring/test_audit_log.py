"""Who did what is written down with it, and stays as it was written."""

import json

from delivery_gateway.models import DeadLetter, NotificationLog, Suppression
from monitoring.models import AuditEntry
from tenants import integrations
from tenants.models import Integration
from tests.admin.pages import act, page_of
from user_preferences.models import Customer, Preference

SECRET = "4711:very-secret-token-of-the-bot"
TEMPLATE = {"name": "hello", "channel": "email", "subject": "Hi", "body": "Hello {{ name }}"}


def told(entries):
    return [(entry.action, entry.actor_kind) for entry in entries]


def test_registration_is_noted_with_what_came_with_it(acme):
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
        "tenant.created", "integration.created", "api_key.created", "api_key.created",
    ]  # fmt: skip
    assert {entry.actor_kind for entry in AuditEntry.objects.all()} == {"system"}


def test_registration_over_http_is_a_strangers(client, db, settings):
    settings.REGISTRATION = "open"
    body = {"name": "New", "email": "ops@new.test"}

    answer = client.post("/v1/tenants/register/", body, "application/json", headers={"X-Request-ID": "trace-1"})

    entry = AuditEntry.objects.get(action="tenant.created")
    assert answer.status_code == 201
    assert (entry.actor_kind, entry.ip, entry.request_id) == ("anonymous", "127.0.0.1", "trace-1")


def test_key_that_makes_and_revokes_a_key_is_named(api, acme, since):
    made = api.post("/v1/api-keys/", {"name": "CI", "scopes": ["read"]}).json()
    api.delete(f"/v1/api-keys/{made['id']}/")

    caller = acme.tenant.api_keys.get(name="First live key")
    assert told(since()) == [("api_key.created", "api_key"), ("api_key.revoked", "api_key")]
    assert {(entry.actor_id, entry.object_id) for entry in since()} == {(str(caller.id), made["id"])}
    assert since()[0].actor_label == str(caller)
    assert made["api_key"] not in everything()


def test_key_revoked_twice_is_noted_once(api, acme, since):
    key = acme.tenant.api_keys.get(mode="test")

    for _ in range(2):
        api.delete(f"/v1/api-keys/{key.id}/")

    assert [entry.action for entry in since()] == ["api_key.revoked"]


def test_integration_is_followed_from_its_making_to_its_end(api, since):
    body = {"channel": "telegram", "config": {"bot_token": SECRET}, "is_default": True}
    made = api.post("/v1/integrations/", body).json()
    path = f"/v1/integrations/{made['id']}/"
    api.patch(path, {"name": "Bot"})
    integrations.pause(Integration.objects.get(pk=made["id"]).pk, "Unauthorized")
    integrations.resume(Integration.objects.get(pk=made["id"]).pk)
    api.delete(path)

    assert told(since()) == [
        ("integration.created", "api_key"),
        ("integration.changed", "api_key"),
        ("integration.paused", "system"),
        ("integration.resumed", "system"),
        ("integration.deleted", "api_key"),
    ]
    assert since()[1].summary == "Integration telegram through bot changed: name"
    assert since()[2].summary.endswith("paused: Unauthorized")
    assert SECRET not in everything()
    assert "very-secret" not in everything()


def test_template_is_followed_through_its_versions(api, since):
    made = api.post("/v1/templates/", TEMPLATE).json()
    api.patch(f"/v1/templates/{made['id']}/", {"body": "Dear {{ name }}"})
    api.delete(f"/v1/templates/{made['id']}/")

    assert [entry.action for entry in since()] == ["template.created", "template.versioned", "template.archived"]
    assert {entry.object_id for entry in since()} == {made["id"]}
    change = since()[1].changes
    assert list(change) == ["body"]
    assert change["body"]["before"] == since()[0].changes["body"]["after"] != change["body"]["after"]
    assert "Dear" not in everything()


def test_workflow_is_followed(api, since):
    made = api.post("/v1/workflows/", {"event_type": "SHIPPED", "channels": ["email"]}).json()
    api.patch(f"/v1/workflows/{made['id']}/", {"critical": True})
    api.delete(f"/v1/workflows/{made['id']}/")

    assert [entry.summary for entry in since()] == [
        "Workflow SHIPPED created", "Workflow SHIPPED changed: is_critical", "Workflow SHIPPED deleted",
    ]  # fmt: skip


def test_tenant_that_changes_itself_is_noted_without_its_address(api, since):
    api.patch("/v1/tenants/me/", {"email": "new-ops@acme.test"})

    assert [entry.summary for entry in since()] == ["Tenant Acme changed: email"]
    assert "new-ops" not in everything()


def test_call_that_changes_nothing_is_not_noted(api, since):
    api.patch("/v1/tenants/me/", {"name": "Acme"})
    api.get("/v1/api-keys/")

    assert since() == []


def test_call_that_fails_leaves_no_entry(api, since):
    assert api.post("/v1/workflows/", {"event_type": "SHIPPED", "template": "nope"}).status_code == 400
    assert api.post("/v1/templates/", TEMPLATE | {"body": "{{ x"}).status_code == 400

    assert since() == []


def test_operator_who_changes_a_choice_is_named_and_the_tenants_own_call_is_not(api, operator, acme, since):
    api.put("/v1/preferences/ann/", {"channels": {"slack": True}})
    choice = Preference.objects.get()
    operator.post(page_of(choice), {"is_enabled": ""})

    (entry,) = since()
    assert (entry.action, entry.actor_label) == ("preference.changed", "root")
    assert entry.summary == f"Choice of customer {choice.customer_id}: slack off for everything changed: is_enabled"


def test_operator_who_revokes_a_key_or_lifts_a_suppression_is_named(operator, acme, since):
    lifted = Suppression.objects.create(tenant=acme.tenant, channel="email", address_hash="0" * 64, reason="gone")
    key = acme.tenant.api_keys.get(mode="test")

    act(operator, "revoke", key, confirmed="yes")
    operator.post(page_of(lifted, "delete"), {"post": "yes"})

    assert told(since()) == [("api_key.revoked", "user"), ("suppression.deleted", "user")]


def test_operator_who_edits_a_customer_is_named_without_their_address(operator, acme, since):
    ann = Customer.objects.create(tenant=acme.tenant, user_id="ann", email="ann@example.com")
    form = {
        "email": "changed@example.com", "attributes": "{}", "preferences-TOTAL_FORMS": "0",
        "preferences-INITIAL_FORMS": "0",
    }  # fmt: skip

    operator.post(page_of(ann), form)

    assert [entry.summary for entry in since()] == [f"Customer {ann.pk} changed: email"]
    assert "example.com" not in everything()


def test_cancelling_and_replaying_are_noted(api, acme, since):
    later = {"channel": "email", "to": "a@example.com", "body": "x", "send_at": "2099-01-01T00:00:00Z"}
    cancelled = api.post("/v1/notify/", later).json()
    api.post(f"/v1/notifications/{cancelled['id']}/cancel/")
    failed = api.post("/v1/notify/", later).json()
    for status in ("queued", "failed"):
        NotificationLog.objects.filter(id=failed["id"]).update(status=status, due_at=None)
    row = NotificationLog.objects.get(id=failed["id"])
    letter = DeadLetter.objects.create(
        tenant=acme.tenant, notification=row, channel="email", code="x", reason="x", created_at=row.created_at
    )
    api.post(f"/v1/dead-letters/{letter.id}/replay/")

    assert [(entry.action, entry.object_id) for entry in since()] == [
        ("notification.cancelled", cancelled["id"]), ("dead_letter.replayed", str(letter.id)),
    ]  # fmt: skip


def everything():
    """All that the log holds, as text."""
    return json.dumps(list(AuditEntry.objects.values()), default=str)
