"""What happened in each minute is counted with the rows it happened to, and grows coarser as it grows old."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from delivery_gateway import counters, dead_letters, latency, leases, ledger, minutes
from delivery_gateway.contract import Receipt, RecipientGone
from delivery_gateway.leases import Outcome
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import DeadLetter, DeliveryCount, MinuteCount, NotificationLog
from delivery_gateway.states import Status

HOOK = "https://hooks.example.com/1"


@pytest.fixture(autouse=True)
def _nobody_else_works(settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False


@pytest.fixture
def queue(acme):
    def put(count: int) -> None:
        now = timezone.now()
        common = {"tenant_id": acme.tenant.id, "created_at": now, "routed_at": now, "to": HOOK}
        ledger.open_rows([NewNotification(channel="slack", status=Status.QUEUED, **common) for _ in range(count)])

    return put


def finish(result: Any, *, limit: int = 100) -> None:
    now = timezone.now()
    leases.finish([Outcome(row, result, now) for row in leases.claim("chat", limit=limit, now=now)])


def happened() -> dict[str, int]:
    return dict(MinuteCount.objects.values_list("what").annotate(number=Sum("count")).order_by("what"))


def test_minutes_say_what_the_days_say(queue) -> None:
    queue(7)
    finish(Receipt("id"), limit=4)
    finish(RecipientGone("no such hook", code="gone"))

    days = dict(DeliveryCount.objects.values_list("status").annotate(number=Sum("count")).order_by("status"))
    assert happened() == days == {"accepted": 7, "failed": 3, "sent": 4}
    assert MinuteCount.objects.get(what="failed").detail == "gone"


def test_sent_is_counted_by_how_long_it_took(queue) -> None:
    queue(3)
    finish(Receipt("id"))

    buckets = {int(row.detail) for row in MinuteCount.objects.filter(what="sent")}
    assert max(buckets) <= latency.bucket_of(30.0)


def test_replay_happened_and_takes_nothing_back(queue) -> None:
    queue(2)
    finish(RecipientGone("no such hook", code="gone"))
    dead_letters.replay(DeadLetter.objects.all(), limit=10)

    assert happened() == {"accepted": 2, "failed": 2, "replayed": 2}
    assert NotificationLog.objects.filter(status=Status.QUEUED).count() == 2


def test_message_at_the_door_counts_once_it_is_decided_on(acme) -> None:
    new = NewNotification(tenant_id=acme.tenant.id, channel="slack", created_at=timezone.now(), to=HOOK)
    counters.opened([new])

    assert happened() == {}


NOW = datetime(2026, 3, 4, 12, 7, tzinfo=UTC)


@pytest.fixture
def a_day(acme):
    """One message in each minute of the last three days."""
    last = minutes.minute_of(NOW)
    rows = [
        MinuteCount(
            tenant=acme.tenant, minute=last - ago, channel="slack", mode="live", what="sent", detail="3", count=1
        )
        for ago in range(3 * 24 * 60)
    ]
    MinuteCount.objects.bulk_create(rows)
    return last


def test_old_minutes_become_quarters_and_then_pairs_of_hours(a_day: int) -> None:
    minutes.age(NOW)
    minutes.age(NOW)  # again: nothing is counted twice

    sizes = dict(MinuteCount.objects.values_list("minute", "count"))
    assert sum(sizes.values()) == 3 * 24 * 60
    assert {sizes[m] for m in sizes if m >= a_day - 170} == {1}
    assert {sizes[m] for m in sizes if a_day - 49 * 60 < m < a_day - 200} == {15}
    assert {sizes[m] for m in sizes if a_day - 70 * 60 < m < a_day - 54 * 60} == {120}


def test_minutes_that_are_too_old_are_dropped(a_day: int) -> None:
    minutes.age(NOW + timedelta(minutes=minutes.KEPT + 10))

    assert not MinuteCount.objects.filter(minute__lt=a_day - 60).exists()


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({}, 0.5, None),
        ({0: 10}, 0.5, 0.025),
        ({7: 100}, 0.5, 0.875),
        ({7: 95, 13: 5}, 0.95, 1.0),
        ({7: 90, 13: 10}, 0.95, 8.75),
        ({99: 1}, 0.5, latency.BOUNDS[-1]),
    ],
)
def test_quantile_is_read_off_between_the_ends_of_a_bucket(counts, share: float, expected: float | None) -> None:
    assert latency.quantile(counts, share) == (pytest.approx(expected) if expected is not None else None)


def test_bucket_holds_what_takes_as_long_as_its_end() -> None:
    assert [latency.bucket_of(s) for s in (0.0, 0.05, 0.051, 86_400.0, 1e9)] == [0, 0, 1, 23, 24]
