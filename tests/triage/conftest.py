"""Dead letters to decide about."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import DeadLetter
from delivery_gateway.states import Status
from tenants.services import Registration

Fail = Callable[..., list[DeadLetter]]


def open_failed(acme: Registration, count: int, **fields: Any) -> list[DeadLetter]:
    usual: dict[str, Any] = {
        "channel": "webhook",
        "to": "https://gone.example.com/hook",
        "reason": "http_404",
        "body": "x",
        "detail": "No hook.",
    }
    about = usual | {"tenant_id": acme.tenant.id, "created_at": timezone.now(), "status": Status.FAILED} | fields
    rows = [NewNotification(**about) for _ in range(count)]
    ledger.open_rows(rows)
    return list(DeadLetter.objects.filter(notification_id__in=[row.id for row in rows]).order_by("id"))


@pytest.fixture
def fail(acme: Registration) -> Fail:
    """Opens letters: `fail(3, channel="email", to="…")`."""
    return lambda count=1, **fields: open_failed(acme, count, **fields)


@pytest.fixture
def at_rest(settings: Any) -> None:
    """Nothing runs by itself: a test takes the steps."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
