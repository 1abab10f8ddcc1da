"""What the console says would reach a customer is what then does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from delivery_gateway import suppressions
from delivery_gateway.registry import CHANNELS
from delivery_gateway.suppressions import EVERYTHING, NOT_CRITICAL, address_hash
from notification_processor import reach
from notification_processor.models import Event, Workflow
from tenants.models import Tenant
from user_preferences.models import Customer

DAYTIME = {"enabled": True, "days": {"wed": [["08:00", "20:00"]]}}
NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)  # a Wednesday
WORKFLOWS: dict[str, dict[str, Any]] = {
    "BY_CHOICE": {},
    "SALE": {"channels": ["email", "slack"], "category": "news"},
    "RESET": {"channels": ["email"], "critical": True},
    "GONE": {"channels": ["email"]},
}
WORLDS: dict[str, dict[str, Any]] = {
    "nothing chosen": {},
    "channel off": {"chosen": {"channels": {"email": False}}},
    "all off": {"chosen": {"channels": {"*": False}}},
    "category off": {"chosen": {"categories": {"news": False}}},
    "category and channel": {"chosen": {"channels": {"slack": True}, "categories": {"news": {"slack": False}}}},
    "tenant's defaults": {"defaults": {"email": False, "in_app": False}},
    "dead address": {"suppressed": EVERYTHING},
    "complaint": {"suppressed": NOT_CRITICAL},
    "unsubscribed": {"suppressed": "news"},
}


@pytest.fixture
def ann(acme, sandbox) -> Customer:
    sandbox.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
    for name, fields in WORKFLOWS.items():
        assert sandbox.post("/v1/workflows/", {"event_type": name} | fields).status_code == 201
    Workflow.objects.exclude(event_type__in=WORKFLOWS).delete()
    Workflow.objects.filter(event_type="GONE").update(is_active=False)
    return Customer.objects.get(user_id="ann")


def foretold(customer: Customer, **when: Any) -> dict[str, dict[str, tuple[str, str]]]:
    found = reach.of_customer(customer, **when)
    return {
        answer.workflow.event_type if answer.workflow else "OTHER": {
            hit.channel: (hit.rule, hit.outcome) for hit in answer.hits
        }
        for answer in found.answers
    }


def happened(client: Any, event_type: str) -> dict[str, tuple[str, str]]:
    """The last rule of each channel that has a row, and of those that were left out."""
    event = client.post("/api/events/", {"event_type": event_type, "user_id": "ann", "payload": {}}).json()
    told = client.get("/v1/explain/", {"event_id": event["id"], "user_id": "ann"}).json()
    rows = {row["channel"]: row["decisions"][-1] for row in told["notifications"]}
    return {channel: (hit["rule"], hit["outcome"]) for channel, hit in rows.items()} | {
        hit["channel"]: (hit["rule"], "left_out") for hit in told["left_out"]
    }


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_what_is_foretold_happens(world, ann, acme, sandbox) -> None:
    assert sandbox.put("/v1/preferences/ann/", world.get("chosen", {})).status_code == 200
    Tenant.objects.filter(pk=acme.tenant.pk).update(channel_defaults=world.get("defaults", {}))
    if "suppressed" in world:
        digest = address_hash(acme.tenant.id, "ann@example.com")
        suppressions.add(acme.tenant.id, "email", digest, scope=world["suppressed"], reason="told so")

    said = foretold(ann)

    for name in ("BY_CHOICE", "SALE", "RESET", "OTHER"):
        nowhere = dict.fromkeys(CHANNELS, ("no_channel", "left_out"))
        assert said[name] == (happened(sandbox, name) or nowhere), name
    assert said["GONE"] == dict.fromkeys(CHANNELS, ("workflow_off", "refused"))


def test_quiet_hours_delay_what_is_not_critical(ann) -> None:
    Customer.objects.filter(pk=ann.pk).update(quiet_hours=DAYTIME)
    Workflow.objects.filter(event_type="SALE").update(quiet_hours=Workflow.QuietHours.DROP)
    ann.refresh_from_db()

    said = foretold(ann, now=NOON)

    assert said["BY_CHOICE"]["email"] == ("quiet_hours", "delayed")
    assert said["BY_CHOICE"]["in_app"] == ("system_default", "allowed")
    assert said["SALE"]["email"] == ("quiet_hours", "refused")
    assert said["RESET"]["email"] == ("critical", "allowed")


def test_asking_leaves_no_trace(ann, settings) -> None:
    settings.RECIPIENT_RATE_LIMIT = "1/minute"
    before = Event.objects.count()

    first, second = foretold(ann), foretold(ann)

    assert first == second
    assert first["SALE"]["email"][1] == "allowed"
    assert Event.objects.count() == before
