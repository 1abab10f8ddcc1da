"""What waits is found by the stage that it waits for."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from notification_processor import backlog, events
from notification_processor.events import NewEvent
from notification_processor.models import Event


@pytest.fixture
def waiting(acme, monkeypatch):
    """An accepted event, as if no worker were there."""
    monkeypatch.setattr(events, "wake", lambda stage: None)
    (accepted,) = events.accept(acme.tenant, "test", [NewEvent(event_type="A", recipients=("ann",))])
    return accepted.event


def a_row(acme, **fields):
    about = {"tenant_id": acme.tenant.id, "channel": "email", "lane": "email", "created_at": timezone.now()}
    return NotificationLog.objects.create(**about | fields)


def test_nothing_waits_for_nobody(acme):
    assert backlog.stages(timezone.now()) == []
    assert backlog.routable(timezone.now()) == backlog.Routable(events=False, sends=False, held=False)


def test_event_waits_for_the_generator_when_it_is_due(waiting):
    assert backlog.stages(timezone.now()) == ["process"]
    assert backlog.stages(waiting.due_at - timedelta(seconds=1)) == []


def test_planned_event_waits_for_the_router(waiting):
    Event.objects.update(state=Event.State.GENERATED)

    assert backlog.stages(timezone.now()) == ["route"]
    assert backlog.routable(timezone.now()) == backlog.Routable(events=True, sends=False, held=False)


def test_direct_send_waits_for_the_router(acme):
    a_row(acme)

    assert backlog.stages(timezone.now()) == ["route"]
    assert backlog.routable(timezone.now()) == backlog.Routable(events=False, sends=True, held=False)


def test_what_quiet_hours_held_waits_for_the_router_when_they_are_over(acme):
    over = timezone.now()
    a_row(acme, status=Status.SCHEDULED, reason="quiet_hours", due_at=over)
    a_row(acme, status=Status.SCHEDULED, reason="transient", due_at=over)

    assert backlog.stages(over - timedelta(seconds=1)) == []
    assert backlog.stages(over) == ["route"]
    assert backlog.routable(over) == backlog.Routable(events=False, sends=False, held=True)


def test_queued_row_waits_for_its_lane(acme):
    a_row(acme, status=Status.QUEUED)
    a_row(acme, status=Status.QUEUED, channel="in_app", lane="in_app")
    a_row(acme, status=Status.SUPPRESSED, channel="webhook", lane="webhook")

    assert backlog.stages(timezone.now()) == ["deliver.email", "deliver.in_app"]
