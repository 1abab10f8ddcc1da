"""The counters say what counting the ledger would, whatever has happened to its rows."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery_gateway import counters, dead_letters, leases, ledger, stopping
from delivery_gateway.contract import Ambiguous, Receipt, RecipientGone, Transient
from delivery_gateway.leases import Outcome
from delivery_gateway.ledger import NewNotification, Verdict
from delivery_gateway.models import DeadLetter, DeliveryCount, NotificationLog
from delivery_gateway.sandbox import BOUNCES
from delivery_gateway.states import TERMINAL, Status


@pytest.fixture(autouse=True)
def _nobody_else_works(settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False


@pytest.fixture
def open_rows(acme):
    def put(count=1, **fields):
        now = timezone.now()
        fields = {"status": Status.QUEUED, "channel": "slack", "to": "https://hooks.example.com/1"} | fields
        if fields["status"] not in (Status.PENDING, Status.SCHEDULED):
            fields["routed_at"] = now
        new = [NewNotification(tenant_id=acme.tenant.id, created_at=now, **fields) for _ in range(count)]
        ledger.open_rows(new)
        return list(NotificationLog.objects.filter(id__in=[one.id for one in new]).order_by("id"))

    return put


def counted() -> dict[tuple[Any, ...], int]:
    rows = DeliveryCount.objects.exclude(count=0)
    return {(r.tenant_id, r.day, r.channel, r.mode, r.status): r.count for r in rows}


def in_the_ledger() -> dict[tuple[Any, ...], int]:
    """What the counters have to be, row by row."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in NotificationLog.objects.all():
        status = Status(row.status)
        if status in TERMINAL:
            found[counters.key_of(row, status)] += 1
        if status in TERMINAL or row.routed_at is not None:
            found[counters.key_of(row, counters.ACCEPTED)] += 1
    return dict(found)


def deliver(result, *, lane="chat", limit=100):
    rows = leases.claim(lane, limit=limit, now=timezone.now())
    leases.finish([Outcome(row, result, timezone.now()) for row in rows])
    return rows


def test_mixed_run_counts_as_the_ledger_does(open_rows, acme):
    open_rows(7)
    open_rows(2, mode="test", channel="email", to=sorted(BOUNCES)[0])
    open_rows(3, status=Status.SUPPRESSED, reason="channel_choice")
    open_rows(2, status=Status.FAILED, reason="template_error", detail="No such variable.")
    pending = open_rows(4, status=Status.PENDING)
    later = open_rows(2, status=Status.SCHEDULED, due_at=timezone.now() + timedelta(hours=1))
    late = open_rows(2, expires_at=timezone.now() - timedelta(seconds=1))
    assert counted() == in_the_ledger()

    verdicts = [Verdict(row.id, row.lane, Status.QUEUED) for row in pending[:2]]
    verdicts += [Verdict(pending[2].id, "chat", Status.SUPPRESSED, "unsubscribed")]
    ledger.settle(verdicts, now=timezone.now())
    counters.settled(pending, verdicts)
    assert counted() == in_the_ledger()

    rows = NotificationLog.objects.filter(tenant=acme.tenant)
    for row in (pending[3], later[0], late[0]):
        stopping.cancel(rows, row.id)
    assert stopping.expire(now=timezone.now()) == 1
    assert counted() == in_the_ledger()

    deliver(Transient("refused", code="refused"), limit=2)
    deliver(RecipientGone("gone", code="gone"), limit=3)
    deliver(Receipt(provider_id="p1"), limit=3)
    deliver(Receipt(provider_id="p2"), lane="email")
    assert counted() == in_the_ledger()

    assert dead_letters.replay(DeadLetter.objects.all(), limit=4) == 4
    ledger.promote_due(now=timezone.now() + timedelta(days=1), limit=100)
    leases.claim("chat", limit=1, now=timezone.now() - timedelta(days=1))
    leases.release_lapsed(now=timezone.now(), limit=10)
    deliver(Ambiguous("silence", code="timeout"), limit=1)
    deliver(Receipt(provider_id="p3"))
    assert counted() == in_the_ledger()
    assert {key[4] for key in counted()} >= {"accepted", "sent", "bounced", "suppressed", "failed", "cancelled"}


def test_totals_know_what_is_still_under_way(open_rows, acme):
    open_rows(5)
    deliver(Receipt(provider_id="p1"), limit=2)
    open_rows(1, mode="test")
    day = datetime.now(UTC).date()

    share = counters.totals(acme.tenant.id, since=day, until=day + timedelta(days=1))

    assert share == counters.Share(accepted=5, open=3, by_status={"sent": 2})
    assert counters.totals(acme.tenant.id, since=day - timedelta(days=9), until=day).accepted == 0


def test_row_given_twice_counts_once(open_rows):
    (row,) = open_rows()

    counters.opened([row, row])

    assert set(counted().values()) == {2}  # one when it was opened, and one for the two


def test_rows_that_skipped_the_router_count_once_when_their_first_claim_ends(acme):
    now, names = timezone.now(), ("sent", "lapsed", "retried")
    ledger.open_rows(
        [
            NewNotification(tenant_id=acme.tenant.id, channel="slack", to=name, status=Status.QUEUED, created_at=now)
            for name in names
        ]
    )
    assert counted() == {}

    deliver(Receipt(provider_id="p1"), limit=1)
    deliver(Transient("refused", code="refused"), limit=1)
    leases.claim("chat", limit=1, now=now - timedelta(days=1))
    leases.release_lapsed(now=now, limit=1)
    assert counted() == in_the_ledger()

    ledger.promote_due(now=now + timedelta(days=1), limit=9)
    deliver(Receipt(provider_id="p2"))
    assert counted() == in_the_ledger()
    assert sorted(key[4] for key in counted()) == ["accepted", "sent"]
    assert set(counted().values()) == {3}


def test_direct_send_costs_no_counter_at_the_door(acme):
    new = NewNotification(tenant_id=acme.tenant.id, channel="email", to="a@example.com", created_at=timezone.now())

    with CaptureQueriesContext(connection) as asked:
        ledger.open_one(new)

    assert not [query["sql"] for query in asked if "deliverycount" in query["sql"]]
    assert counted() == {}


def test_stale_holder_counts_for_nothing(open_rows):
    open_rows()
    (row,) = leases.claim("chat", limit=1, now=timezone.now())
    NotificationLog.objects.update(fence=9)

    leases.finish([Outcome(row, Receipt(provider_id="p1"), timezone.now())])

    assert counted() == in_the_ledger()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite belongs to one thread")
def test_many_at_once_neither_lose_a_count_nor_wait_in_a_circle(open_rows):
    for number in range(40):
        open_rows(1, mode=("live", "test")[number % 2])

    def work(_):
        try:
            while deliver(Receipt(provider_id="p") if _ % 2 else RecipientGone("gone", code="gone"), limit=2):
                pass
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert counted() == in_the_ledger()
