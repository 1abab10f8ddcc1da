"""The rules that decide, from the most to the least binding, each beside what would be decided without it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from delivery_gateway import suppressions
from delivery_gateway.models import Suppression
from delivery_gateway.suppressions import EVERYTHING, NOT_CRITICAL, address_hash
from notification_processor.models import Workflow
from tenants.models import Tenant

WANTED = {"categories": {"news": {"email": True}}}
UNWANTED = {"categories": {"news": {"email": False}}}
REFUSED, ALLOWED = "refused", "allowed"


@dataclass(frozen=True, kw_only=True)
class World:
    """Mail about "news" to Ann, who has an address, in a tenant that has decided nothing: that is on by default."""

    chosen: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, bool] = field(default_factory=dict)
    is_critical: bool = False
    is_active: bool = True
    suppressed: str | None = None


@pytest.fixture
def told(acme, sandbox):
    """What became of one event: each rule that was asked, and its outcome. None: nobody was told anything."""

    def of(world: World) -> list[tuple[str, str]] | None:
        sandbox.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
        workflow = {"event_type": "SALE", "channels": ["email"], "category": "news", "critical": world.is_critical}
        assert sandbox.post("/v1/workflows/", workflow).status_code == 201
        Workflow.objects.filter(event_type="SALE").update(is_active=world.is_active)
        Tenant.objects.filter(pk=acme.tenant.pk).update(channel_defaults=world.defaults)
        assert sandbox.put("/v1/preferences/ann/", world.chosen).status_code == 200
        if world.suppressed is not None:
            digest = address_hash(acme.tenant.id, "ann@example.com")
            suppressions.add(acme.tenant.id, "email", digest, scope=world.suppressed, reason="told so")
            assert Suppression.objects.count() == 1
        event = sandbox.post("/api/events/", {"event_type": "SALE", "user_id": "ann", "payload": {}}).json()
        rows = sandbox.get("/v1/explain/", {"event_id": event["id"], "user_id": "ann"}).json()["notifications"]
        return [(hit["rule"], hit["outcome"]) for hit in rows[0]["decisions"]] if rows else None

    return of


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        pytest.param(
            World(suppressed=EVERYTHING, is_critical=True, chosen=WANTED),
            [("critical", ALLOWED), ("address_suppressed", REFUSED)],
            id="1-a-dead-address-gets-nothing-not-even-what-is-critical",
        ),
        pytest.param(
            World(is_active=False, is_critical=True, chosen=WANTED),
            None,
            id="2-what-the-tenant-switched-off",
        ),
        pytest.param(
            World(is_critical=True, chosen={"channels": {"*": False}} | UNWANTED, defaults={"email": False}),
            [("critical", ALLOWED)],
            id="3-what-is-critical-asks-nobody",
        ),
        pytest.param(
            World(is_critical=True, suppressed=NOT_CRITICAL),
            [("critical", ALLOWED)],
            id="3-what-is-critical-reaches-who-complained",
        ),
        pytest.param(
            World(suppressed=NOT_CRITICAL, chosen=WANTED),
            [("category_channel_choice", ALLOWED), ("address_suppressed", REFUSED)],
            id="4-a-complaint-outweighs-choices",
        ),
        pytest.param(
            World(chosen={"channels": {"email": False}} | WANTED, defaults={"email": True}),
            [("channel_choice", REFUSED)],
            id="5-a-muted-channel-stays-muted",
        ),
        pytest.param(
            World(chosen={"channels": {"*": False}} | WANTED), [("channel_choice", REFUSED)], id="5-so-do-all-of-them"
        ),
        pytest.param(
            World(chosen={"channels": {"*": False, "email": True}} | UNWANTED),
            [("category_channel_choice", REFUSED)],
            id="5-unless-one-is-named",
        ),
        pytest.param(
            World(chosen={"categories": {"news": {"*": False, "email": True}}}, defaults={"email": False}),
            [("category_channel_choice", ALLOWED)],
            id="6-the-channel-of-a-category-before-the-category",
        ),
        pytest.param(
            World(chosen={"categories": {"news": {"*": True, "email": False}}}),
            [("category_channel_choice", REFUSED)],
            id="6-also-against-it",
        ),
        pytest.param(
            World(chosen={"categories": {"news": {"*": False}}, "channels": {"email": True}}),
            [("category_choice", REFUSED)],
            id="7-the-category-before-the-channel",
        ),
        pytest.param(
            World(chosen={"categories": {"news": {"*": True}}}, defaults={"email": False}),
            [("category_choice", ALLOWED)],
            id="7-the-category-before-the-tenant",
        ),
        pytest.param(
            World(chosen={"channels": {"email": True}}, defaults={"email": False}),
            [("channel_choice", ALLOWED)],
            id="8-the-channel-before-the-tenant",
        ),
        pytest.param(
            World(defaults={"email": False}), [("tenant_default", REFUSED)], id="9-the-tenant-before-the-system"
        ),
        pytest.param(World(), [("system_default", ALLOWED)], id="9-and-then-the-system"),
    ],
)
def test_first_rule_that_applies_decides_and_is_kept(told, world, expected):
    assert told(world) == expected
