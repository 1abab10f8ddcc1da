"""A tenant with a customer whose inbox it is, and clients that ask as that user's page would."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from delivery_gateway import inbox
from delivery_gateway.inbox import Owner
from delivery_gateway.models import NotificationLog
from inbox.issuing import token_for
from tenants.inbox_secrets import SIGNERS
from tenants.services import Registration
from tests.registered import acme, globex
from traffic_control.ids import uuid7
from user_preferences.models import Customer

__all__ = ["acme", "globex"]


@pytest.fixture(autouse=True)
def _fresh_signers() -> None:
    SIGNERS.clear()


@pytest.fixture
def ann(acme: Registration) -> Owner:
    customer = Customer.objects.create(tenant=acme.tenant, user_id="ann")
    return Owner(acme.tenant.id, customer.id)


def message(owner: Owner, **fields: Any) -> NotificationLog:
    about: dict[str, Any] = {"channel": "in_app", "subject": "Hello", "body": "World", "event_type": "GREETED"}
    about |= {"tenant_id": owner.tenant_id, "customer_id": owner.customer_id}
    return NotificationLog(**about | {"id": uuid7()} | fields)


def arrive(owner: Owner, number: int = 1, **fields: Any) -> list[str]:
    """Ids, the oldest first."""
    rows = [message(owner, **fields) for _ in range(number)]
    inbox.put(rows, now=timezone.now())
    return [str(row.id) for row in rows]


def page_of(registration: Registration, user_id: str, *scopes: str, **headers: str) -> APIClient:
    """What asks in this user's name."""
    about = {"scopes": scopes} if scopes else {}
    token = token_for(registration.tenant, user_id, seconds=3_600, **about)["token"]
    client = APIClient(headers={"Authorization": f"Bearer {token}", **headers})
    client.default_format = "json"
    return client


@pytest.fixture
def page(acme: Registration, ann: Owner) -> APIClient:
    return page_of(acme, "ann")


Arrive = Callable[..., list[str]]
