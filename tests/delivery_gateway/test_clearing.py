"""Words that are older than they need be kept, and what is left of their rows."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from delivery_gateway import dead_letters
from delivery_gateway.models import Attempt, DeadLetter, NotificationLog, ProviderEvent, SandboxMessage
from delivery_gateway.states import Status
from notification_processor import retention
from notification_processor.models import Event
from tenants.models import SweepMark
from tests.registered import acme, globex
from traffic_control.ids import uuid7, uuid7_at

__all__ = ["acme", "globex"]
SECRET = "jane@example.com"
pytestmark = pytest.mark.django_db


def row(tenant, *, days=40, status=Status.SENT, number=0):
    at = timezone.now() - timedelta(days=days)
    row_id = type(uuid7())(int=uuid7_at(at).int | (7 << 76) | (2 << 62) | number)
    made = NotificationLog.objects.create(
        id=row_id, tenant=tenant, channel="email", lane="email", user_id="jane", to=SECRET, subject=SECRET,
        body=SECRET, html=SECRET, payload={"mail": SECRET}, detail=SECRET, provider_response=SECRET, status=status,
        created_at=at, lease_until=at if status == Status.SENDING else None,
        due_at=at if status == Status.SCHEDULED else None,
    )  # fmt: skip
    Attempt.objects.create(notification=made, number=1, outcome="sent", detail=SECRET, started_at=at)
    ProviderEvent.objects.create(
        id=uuid7(), tenant=tenant, notification=made, kind="sent", detail=SECRET, received_at=at
    )
    SandboxMessage.objects.create(id=made.id, tenant=tenant, channel="email", to=SECRET, body=SECRET, created_at=at)
    return made


def event(tenant, *, days=40, state=Event.State.COMPLETED):
    at = timezone.now() - timedelta(days=days)
    return Event.objects.create(
        id=uuid7_at(at), tenant=tenant, event_type="x", recipients=["jane"], payload={"mail": SECRET},
        occurred_at=at, due_at=at, received_at=at, state=state,
    )  # fmt: skip


def clear():
    return sum(retention.clear_old(timezone.now()))


def words_of(made):
    """Everything that is stored of it and about it."""
    tables = (NotificationLog.objects.filter(id=made.id), made.attempt_rows, made.provider_events)
    return str([list(rows.values()) for rows in tables]) + str(SandboxMessage.objects.filter(id=made.id).values())


def test_old_row_is_a_skeleton_and_a_young_one_is_not_touched(acme):
    old, young = row(acme.tenant), row(acme.tenant, days=29)

    assert clear() == 1

    assert SECRET not in words_of(old)
    assert words_of(young).count(SECRET) > 5
    old.refresh_from_db()
    assert (old.status, old.user_id, old.channel, old.payload) == ("sent", "jane", "email", None)


def test_payload_of_an_old_event_is_emptied_once_the_event_is_done(acme):
    old, waiting = event(acme.tenant), event(acme.tenant, days=41, state=Event.State.ACCEPTED)

    assert clear() == 1

    old.refresh_from_db()
    waiting.refresh_from_db()
    assert (old.payload, old.recipients, waiting.payload) == ({}, ["jane"], {"mail": SECRET})


@pytest.mark.parametrize("status", [Status.PENDING, Status.QUEUED, Status.SENDING, Status.SCHEDULED, Status.HELD])
def test_row_that_is_not_finished_keeps_its_words_and_is_found_again_later(acme, status):
    first, unfinished, last = row(acme.tenant, days=43), row(acme.tenant, days=42, status=status), row(acme.tenant)

    assert clear() == 2
    assert SECRET in words_of(unfinished)
    assert SweepMark.objects.get(kind="notifications", tenant=acme.tenant).cursor == first.id

    NotificationLog.objects.filter(id=unfinished.id).delete()
    again = row(acme.tenant, days=42)
    assert clear() == 1
    assert SECRET not in words_of(again)
    assert SweepMark.objects.get(kind="notifications", tenant=acme.tenant).cursor == last.id


def test_tenant_may_have_less_kept_and_not_more(acme, globex):
    acme.tenant.content_days, globex.tenant.content_days = 3, 300
    acme.tenant.save()
    globex.tenant.save()
    short, long = row(acme.tenant, days=5), row(globex.tenant, days=40)

    assert clear() == 2

    assert SECRET not in words_of(short) + words_of(long)


def test_nothing_is_cleared_where_everything_is_kept(acme, settings):
    settings.CONTENT_DAYS = 0
    old = row(acme.tenant)

    assert clear() == 0
    assert SECRET in words_of(old)


def test_many_rows_are_cleared_in_small_windows(acme, monkeypatch):
    monkeypatch.setattr("delivery_gateway.clearing.WINDOW", 3)
    made = [row(acme.tenant, number=number) for number in range(7)]

    assert list(retention.clear_old(timezone.now())) == [3, 3, 1]
    assert all(SECRET not in words_of(one) for one in made)


def test_sweep_that_is_dropped_goes_on_where_it_was(acme, monkeypatch):
    monkeypatch.setattr("delivery_gateway.clearing.WINDOW", 3)
    for number in range(7):
        row(acme.tenant, number=number)
    next(retention.clear_old(timezone.now()))

    assert clear() == 4


def test_dead_letter_that_was_cleared_cannot_be_sent_again(acme):
    old = row(acme.tenant, status=Status.FAILED)
    letter = DeadLetter.objects.create(
        tenant=acme.tenant, notification=old, channel="email", code="550", reason=SECRET, created_at=old.created_at
    )
    clear()

    letter.refresh_from_db()
    assert (letter.reason, letter.cleared_at is not None) == ("", True)
    assert dead_letters.replay(DeadLetter.objects.all()) == 0


def test_dispatcher_clears_in_its_spare_time(acme):
    old = row(acme.tenant)
    retention.SWEEPER.start(timezone.now())

    assert retention.SWEEPER.spend(5.0) == 1
    assert SECRET not in words_of(old)


def test_command_clears_all_at_once(acme):
    row(acme.tenant)
    told = StringIO()

    call_command("clear_content", stdout=told)

    assert told.getvalue() == "cleared 1 rows\n"
