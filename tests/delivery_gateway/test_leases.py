"""Claims, fences and lapses, on the database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway import dead_letters, leases, ledger, stopping
from delivery_gateway.contract import Receipt, Transient
from delivery_gateway.leases import LEASE, Outcome
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import Attempt, DeadLetter, InboxItem, NotificationLog
from delivery_gateway.states import Status


@pytest.fixture(autouse=True)
def _nobody_else_works(settings):
    """Wake-ups go to a broker that has no workers."""
    settings.CELERY_TASK_ALWAYS_EAGER = False


@pytest.fixture
def queue(acme):
    def put(count=1, *, channel="slack", **fields):
        now = timezone.now()
        rows = [
            NewNotification(
                tenant_id=acme.tenant.id,
                channel=channel,
                status=Status.QUEUED,
                routed_at=now,
                created_at=now,
                to=f"https://hooks.example.com/{number}",
                body="Hello",
                **fields,
            )
            for number in range(count)
        ]
        ledger.open_rows(rows)
        return rows

    return put


def claim(lane="chat", *, limit=100, now=None):
    return leases.claim(lane, limit=limit, now=now or timezone.now())


def sent(row):
    return Outcome(row, Receipt(provider_id="p1", detail="ok", http_status=200), timezone.now(), duration_ms=5)


def test_claim_leases_the_row_to_one(queue):
    queue()

    (row,) = claim()

    stored = NotificationLog.objects.get()
    assert (stored.status, stored.fence, row.fence) == ("sending", 1, 1)
    assert stored.lease_until is not None
    assert claim() == []


def test_claim_follows_priority_then_age(queue, acme):
    (low,), (normal,), (high,) = queue(priority=-1), queue(), queue(priority=1)

    assert [row.id for row in claim()] == [high.id, normal.id, low.id]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite belongs to one thread")
def test_claim_by_20_workers_at_once_gives_each_row_to_one(queue):
    queue(50)

    def work(_):
        try:
            return [row.id for row in claim(limit=10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        claimed = [row for rows in pool.map(work, range(20)) for row in rows]

    assert len(claimed) == len(set(claimed)) == 50


def test_finish_records_the_answer_and_the_attempt(queue):
    queue()

    leases.finish([sent(claim()[0])])

    stored, attempt = NotificationLog.objects.get(), Attempt.objects.get()
    assert (stored.status, stored.attempts, stored.provider_message_id) == ("sent", 1, "p1")
    assert stored.lease_until is None
    assert (attempt.outcome, attempt.number, attempt.http_status, attempt.duration_ms) == ("sent", 1, 200, 5)


def test_finish_records_words_that_postgresql_does_not_store(queue):
    queue(2)
    first, second = claim()
    said = "Gr\u00fc\u00dfe\x00\ud800!"

    leases.finish([Outcome(first, Receipt(detail=said), timezone.now()), sent(second)])

    assert set(NotificationLog.objects.values_list("status", "provider_response")) == {
        ("sent", "Gr\u00fc\u00dfe?!"),
        ("sent", "ok"),
    }


def test_finish_by_a_stale_holder_changes_nothing(queue):
    queue()
    (stale,) = claim()
    leases.release_lapsed(now=timezone.now() + LEASE * 2, limit=10)
    (fresh,) = claim()

    leases.finish([sent(stale)])
    between = NotificationLog.objects.get().status
    leases.finish([sent(fresh)])

    assert between == "sending"
    stored = NotificationLog.objects.get()
    assert (stored.status, stored.ambiguous) == ("sent", 1)
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["lapsed", "sent"]


def test_lapse_for_the_third_time_in_a_row_is_poison_when_it_was_alone(queue):
    queue(channel="webhook")
    for _ in range(3):
        claim("webhook")
        NotificationLog.objects.update(reason=leases.ALONE)
        leases.release_lapsed(now=timezone.now() + LEASE * 2, limit=10)

    stored = NotificationLog.objects.get()
    assert (stored.status, stored.reason, stored.crashes) == ("failed", "poison", 3)
    assert DeadLetter.objects.get().notification_id == stored.id


def test_lapse_in_company_is_never_poison(queue):
    queue(channel="webhook")
    for _ in range(5):
        claim("webhook")
        leases.release_lapsed(now=timezone.now() + LEASE * 2, limit=10)

    stored = NotificationLog.objects.get()
    assert (stored.status, stored.crashes, stored.ambiguous) == ("queued", 2, 5)


def test_lapse_before_the_lease_ends_does_not_happen(queue):
    queue()
    claim()

    assert leases.release_lapsed(now=timezone.now() + LEASE - timedelta(seconds=5), limit=10) == 0


def test_lapse_of_an_in_app_message_is_not_ambiguous(queue, acme):
    queue(channel="in_app", customer_id=acme.tenant.id)
    claim("in_app")
    leases.release_lapsed(now=timezone.now() + LEASE * 2, limit=10)

    leases.finish([sent(claim("in_app")[0])])

    assert NotificationLog.objects.get().ambiguous == 0
    assert InboxItem.objects.count() == 1


def test_failure_after_a_replay_opens_the_same_letter_again(queue, settings):
    settings.RETRY_SCHEDULE = []
    queue()
    failure = Transient("down", code="http_500")
    leases.finish([Outcome(claim()[0], failure, timezone.now())])
    assert dead_letters.replay(DeadLetter.objects.all()) == 1
    assert dead_letters.replay(DeadLetter.objects.all()) == 0
    replayed_at = DeadLetter.objects.get().replayed_at

    leases.finish([Outcome(claim()[0], failure, timezone.now())])

    assert replayed_at is not None
    assert DeadLetter.objects.get().replayed_at is None
    assert NotificationLog.objects.get().status == "failed"


def test_promotion_of_a_due_row_goes_to_its_lane(queue, acme):
    now = timezone.now()
    later: dict[str, Any] = {"status": Status.SCHEDULED, "due_at": now + timedelta(hours=1)}
    base: dict[str, Any] = {
        "tenant_id": acme.tenant.id,
        "channel": "email",
        "created_at": now,
        "to": "a@example.com",
        "body": "x",
    }
    ledger.open_rows([NewNotification(**base, **later, routed_at=now), NewNotification(**base, **later)])

    assert ledger.promote_due(now=now, limit=10) == 0
    assert ledger.promote_due(now=now + timedelta(hours=2), limit=10) == 2

    assert sorted(NotificationLog.objects.values_list("status", flat=True)) == ["pending", "queued"]


def test_expiry_ends_what_nobody_has_begun(queue):
    queue(expires_at=timezone.now() + timedelta(minutes=1))

    assert stopping.expire(now=timezone.now()) == 0
    assert stopping.expire(now=timezone.now() + timedelta(minutes=2)) == 1

    assert NotificationLog.objects.get().status == "expired"
