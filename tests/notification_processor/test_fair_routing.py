"""The router goes round the tenants: nobody's event waits for the end of another's broadcast."""

from collections import Counter

import pytest
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from notification_processor import audience, generation, routing
from notification_processor.events import NewEvent, accept
from notification_processor.models import Event
from tenants.services import register
from traffic_control import wakeup
from traffic_control.fair_queue import AllTurns
from user_preferences import customers
from user_preferences.customers import RecipientInput

SLICE, PEOPLE = 10, 30


@pytest.fixture
def shop(transactional_db, settings, monkeypatch):
    """Makes tenants, each with people who can be reached by email. Nobody works by himself; slices are small."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    monkeypatch.setattr(wakeup._bell, "ask", lambda stage: None)
    monkeypatch.setattr(routing, "TURNS", AllTurns())
    monkeypatch.setattr(audience.next_slices, "__kwdefaults__", {"budget": SLICE, "introduce": None})
    monkeypatch.setattr(audience, "SMALLEST_SHARE", 1)

    def make(name):
        tenant = register(name, "ops@tenant.test").tenant
        people = [RecipientInput(user_id=f"u{n}", email=f"u{n}@example.com") for n in range(PEOPLE)]
        customers.upsert(tenant, people)
        return tenant

    return make


def say(tenant, **fields):
    accept(tenant, "live", [NewEvent(event_type="NEWS", channels=("email",), **fields)])
    generation.generate(now=timezone.now())


def route():
    """One transaction; how many rows it opened for each tenant."""
    before = Counter(NotificationLog.objects.values_list("tenant_id", flat=True))
    routing.route(now=timezone.now())
    return Counter(NotificationLog.objects.values_list("tenant_id", flat=True)) - before


def test_broadcasts_of_two_tenants_take_turns(shop):
    first, second = shop("First"), shop("Second")
    for tenant in (first, second):
        say(tenant, topic="all")

    opened = [set(route()) for _ in range(6)]

    assert opened[0] != opened[1]
    assert opened[0:2] * 3 == opened
    assert not Event.objects.filter(state=Event.State.GENERATED).exists()


def test_long_list_leaves_room_for_a_single(shop):
    crowd, single = shop("Crowd"), shop("Single")
    say(crowd, recipients=tuple(f"u{n}" for n in range(PEOPLE)))
    say(single, recipients=("u0",))

    assert route() == {crowd.id: SLICE // 2, single.id: 1}
    assert route() == {crowd.id: SLICE}


def test_lists_leave_room_for_a_topic(shop):
    crowd, club = shop("Crowd"), shop("Club")
    say(crowd, recipients=tuple(f"u{n}" for n in range(PEOPLE)))
    say(club, topic="all")

    assert route() == {crowd.id: 8, club.id: 2}


def test_broadcast_is_whole_at_last(shop):
    crowd, club = shop("Crowd"), shop("Club")
    say(crowd, recipients=tuple(f"u{n}" for n in range(PEOPLE)))
    say(club, topic="all")

    while routing.route(now=timezone.now()):
        pass

    assert Counter(NotificationLog.objects.values_list("tenant_id", flat=True)) == {crowd.id: PEOPLE, club.id: PEOPLE}
