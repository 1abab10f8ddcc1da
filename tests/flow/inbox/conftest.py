"""The process that streams beside the test, and a user of it."""

import pytest
from django.utils import timezone

from delivery_gateway import inbox
from delivery_gateway.inbox import Owner
from delivery_gateway.models import NotificationLog
from inbox.issuing import token_for
from tests.flow.stack import stack
from traffic_control.ids import uuid7
from user_preferences.models import Customer


@pytest.fixture
def running(acme, tmp_path, settings):
    with stack(tmp_path) as started:
        settings.REDIS_KEY_PREFIX = started.prefix
        yield started


@pytest.fixture
def url(running):
    return running.streams()


@pytest.fixture
def ann(acme):
    return Owner(acme.tenant.id, Customer.objects.create(tenant=acme.tenant, user_id="ann").id)


@pytest.fixture
def token(acme, ann):
    return token_for(acme.tenant, "ann", seconds=3_600)["token"]


def arrive(owner, number=1):
    rows = [
        NotificationLog(id=uuid7(), tenant_id=owner.tenant_id, customer_id=owner.customer_id, subject="Hello")
        for _ in range(number)
    ]
    inbox.put(rows, now=timezone.now())
    return [str(row.id) for row in rows]
