"""Two tenants with a row in every table, and statements as a request of one of them would run them."""

import itertools
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from delivery_gateway.models import DeliveryCount, Inbox, MinuteCount, NotificationCopy, ProviderEvent
from event_intake.models import Order
from notification_processor.models import SeenKey
from tenants.models import IdempotencyRecord, InboxSecret, Membership, SweepMark, Tenant
from tenants.scoping import path_to_tenant
from tests.admin.world import World, build
from tests.registered import acme, api, api_with
from traffic_control.ids import uuid7
from traffic_control.scope import Scope, within
from user_preferences.models import ConsentEntry, Erasure

__all__ = ["acme", "api", "api_with"]
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has a second layer")
_numbers = itertools.count()


@dataclass(frozen=True)
class Pair:
    own: Tenant
    other: Tenant

    def in_own(self) -> Any:
        return within(Scope(self.own.id))


@pytest.fixture
def pair(db: None) -> Pair:
    return furnished()


@pytest.fixture
def lasting_pair(transactional_db: None) -> Pair:
    """Committed, for other connections to see."""
    return furnished()


def furnished() -> Pair:
    acme, globex = build("acme"), build("globex")
    for world in (acme, globex):
        furnish(world)
    return Pair(acme.tenant, globex.tenant)


def furnish(world: World) -> None:
    """What the console has no page for."""
    tenant, now = world.tenant, timezone.now()
    day = date(2026, 1, 1)
    user = User.objects.create_user(f"{tenant.slug}-{next(_numbers)}")
    Membership.objects.create(user=user, tenant=tenant)
    IdempotencyRecord.objects.create(tenant=tenant, scope="POST /", key="k", fingerprint="f")
    SweepMark.objects.create(kind="events", tenant=tenant)
    ProviderEvent.objects.create(
        id=uuid7(), tenant=tenant, notification=world.notification, kind="bounced", received_at=now
    )
    NotificationCopy.objects.create(id=uuid7(), tenant=tenant, original_id=world.notification.id, kind="again")
    DeliveryCount.objects.create(tenant=tenant, day=day, channel="email", mode="live", status="sent", count=1)
    MinuteCount.objects.create(tenant=tenant, minute=1, channel="email", mode="live", what="sent", detail="", count=1)
    Inbox.objects.create(customer_id=world.customer.id, tenant=tenant)
    InboxSecret.objects.create(tenant=tenant, kid=f"kid-{tenant.slug}")
    SeenKey.objects.create(
        tenant=tenant,
        workflow_id=uuid7(),
        customer_id=uuid7(),
        key_hash="h",
        event_id=uuid7(),
        seen_at=now,
        expires_at=now,
    )
    ConsentEntry.objects.create(
        tenant=tenant, customer=world.customer, at=now, category="", channel="", is_enabled=True, source="api"
    )
    Erasure.objects.create(tenant=tenant, requested_at=now, next_at=now)
    Order.objects.create(tenant=tenant, order_number="1", items=[], currency="EUR", total=1, last_event_id=uuid.uuid4())


def of(tenant: Tenant, model: type[Model]) -> Any:
    """Its rows, found past every scope."""
    return model._base_manager.filter(**{path_to_tenant(model): tenant.id})
