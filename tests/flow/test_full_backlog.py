"""BACKLOG_LIMIT: a tenant of which too much waits is told to come back; all others, and what was accepted, go on."""

import pytest
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from dev.waiting import wait_until
from notification_processor import full_backlogs
from notification_processor.models import Event
from tenants.services import register
from tests.conftest import client_with, needs_redis
from traffic_control import redis_client

LIMIT = 5
MAIL = {"channel": "email", "to": "ann@example.com", "subject": "Hello", "body": "Hello"}
EVENT = {"event_type": "NEWS", "user_id": "ann", "payload": {}}


@pytest.fixture(autouse=True)
def _small(settings, monkeypatch):
    monkeypatch.setattr(full_backlogs, "ASK_EVERY", 60.0)
    settings.CELERY_TASK_ALWAYS_EAGER = False
    settings.BACKLOG_LIMIT = LIMIT
    full_backlogs.forget()
    yield
    if settings.REDIS_URL:
        redis_client.ask(lambda redis: redis.delete(full_backlogs._key()))
    full_backlogs.forget()


def put(acme, status, count):
    new = {"tenant_id": acme.tenant.id, "channel": "slack", "created_at": timezone.now(), "to": "x", "body": "y"}
    ledger.open_rows([NewNotification(**new, status=status) for _ in range(count)])


def look(*full):
    """Until the door knows exactly these tenants: on a busy machine Redis may be late for once."""

    def is_known():
        redis_client.forget_outage()
        full_backlogs.forget()
        full_backlogs.look()
        return full_backlogs._full() - {""} == {str(tenant.id) for tenant in full}

    assert wait_until(is_known, seconds=10)


def test_backlog_counts_what_waits_for_a_worker_in_all_queues(acme):
    put(acme, Status.QUEUED, 2)
    put(acme, Status.PENDING, 2)
    now = timezone.now()
    about = {"event_type": "X", "occurred_at": now, "due_at": now, "received_at": now}
    Event.objects.create(tenant=acme.tenant, state=Event.State.GENERATED, **about)

    assert full_backlogs.backlogs() == {acme.tenant.id: 5}


@needs_redis
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/notify/", MAIL),
        ("/v1/notify/batch/", {"notifications": [MAIL]}),
        ("/api/events/", EVENT),
        ("/api/events/batch/", {"events": [EVENT]}),
    ],
)
def test_tenant_with_too_much_waiting_is_refused_until_there_is_less(acme, path, body):
    client, neighbour = client_with(acme.api_key), client_with(register("Other", "ops@other.test").api_key)
    put(acme, Status.QUEUED, LIMIT + 1)
    look(acme.tenant)
    before = NotificationLog.objects.count(), Event.objects.count()

    refused = client.post(path, body)

    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "backlog_full", "30")
    assert before == (NotificationLog.objects.count(), Event.objects.count())
    assert neighbour.post(path, body).status_code == 202
    NotificationLog.objects.filter(tenant=acme.tenant).delete()
    look()
    assert client.post(path, body).status_code == 202


@needs_redis
@pytest.mark.parametrize("limit", [0, LIMIT + 1])
def test_tenant_within_the_limit_is_not_refused(acme, settings, limit):
    settings.BACKLOG_LIMIT = limit
    put(acme, Status.QUEUED, LIMIT + 1)
    look()

    assert client_with(acme.api_key).post("/v1/notify/", MAIL).status_code == 202


def test_nobody_is_refused_without_redis(acme, settings):
    put(acme, Status.QUEUED, LIMIT + 1)
    settings.REDIS_URL = ""
    full_backlogs.look()

    assert client_with(acme.api_key).post("/v1/notify/", MAIL).status_code == 202
