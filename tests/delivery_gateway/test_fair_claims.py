"""Tenants share a lane: whoever has one row waiting is not behind another's thousands."""

import uuid
from collections import Counter
from math import ceil

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery_gateway import delivery, leases, ledger
from delivery_gateway.contract import Receipt
from delivery_gateway.harbour import harbour
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from traffic_control.fair_queue import AllTurns
from traffic_control.ids import uuid7

LIMIT, TENANTS, WORKERS = 4, 11, 2
NOISY, OTHER = uuid7(), uuid7()

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_else_works(settings, monkeypatch):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    monkeypatch.setattr(leases, "TURNS", AllTurns())
    monkeypatch.setattr(ledger, "TURNS", AllTurns())


def put(tenant_id, count=1, *, channel="slack", status=Status.QUEUED, **fields):
    rows = [
        NewNotification(
            tenant_id=tenant_id, channel=channel, status=status, created_at=timezone.now(), to="x", body="y", **fields
        )
        for _ in range(count)
    ]
    ledger.open_rows(rows)
    return rows


def claim(limit=LIMIT):
    return leases.claim("chat", limit=limit, now=timezone.now())


def tenants_of(rows):
    return Counter(row.tenant_id for row in rows)


def test_single_of_another_tenant_is_in_the_next_claim_behind_a_backlog():
    put(NOISY, 60)
    claim(10)
    (single,) = put(OTHER)

    rows = claim(10)

    assert single.id in {row.id for row in rows}
    assert tenants_of(rows) == {NOISY: 9, OTHER: 1}


def test_backlogs_share_a_claim_evenly():
    put(NOISY, 60)
    claim(10)
    put(OTHER, 30)

    assert tenants_of(claim(10)) == {NOISY: 5, OTHER: 5}


def test_burst_of_the_past_is_not_held_against_its_tenant():
    put(NOISY, 40)
    while len(claim(10)) == 10:
        pass
    put(OTHER, 40)
    claim(10)
    (single,) = put(NOISY)

    assert single.id in {row.id for row in claim(10)}


def test_high_priority_goes_before_the_tenants_own_only():
    put(NOISY, 30, priority=1)
    claim(10)
    put(NOISY, 1, priority=-1)
    (single,) = put(OTHER, priority=-1)

    assert single.id in {row.id for row in claim(10)}


def test_claimed_rows_come_tenant_by_tenant_each_in_its_order():
    put(NOISY, 60)
    claim(10)
    put(OTHER, 30)

    rows = claim(10)

    assert len({row.tenant_id for row in rows[0:2]}) == len({row.tenant_id for row in rows[8:10]}) == 2
    for tenant_id in (NOISY, OTHER):
        ranks = [row.rank for row in rows if row.tenant_id == tenant_id]
        assert ranks == sorted(ranks)


def test_pending_rows_are_taken_in_turn():
    put(NOISY, 60, status=Status.PENDING)
    ledger.pending(10)
    put(OTHER, 1, status=Status.PENDING)

    assert tenants_of(ledger.pending(10)) == {NOISY: 9, OTHER: 1}


@pytest.mark.timeout(120)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(0, TENANTS - 1), st.integers(1, 12)),
            st.tuples(st.just("claim"), st.integers(0, WORKERS - 1), st.just(0)),
        ),
        max_size=60,
    )
)
def test_nobody_waits_for_longer_than_a_round(steps, monkeypatch):
    """Whatever comes in and whoever claims: no turn is wasted, and a tenant with something waiting gets a row before
    each worker has been round once, after one claim that did not know yet that there is a queue.
    """
    NotificationLog.objects.all().delete()
    tenants, workers = [uuid.UUID(int=number + 1) for number in range(TENANTS)], [AllTurns() for _ in range(WORKERS)]
    waiting: Counter[uuid.UUID] = Counter()
    passed_over: Counter[uuid.UUID] = Counter()
    for kind, number, count in [*steps, *[("claim", n % WORKERS, 0) for n in range(40)]]:
        if kind == "put":
            put(tenants[number], count)
            waiting[tenants[number]] += count
            continue
        monkeypatch.setattr(leases, "TURNS", workers[number])

        taken = tenants_of(claim())

        assert sum(taken.values()) == min(LIMIT, waiting.total())
        passed_over = Counter({t: passed_over[t] + 1 for t in waiting if not taken[t]})
        waiting -= taken
        passed_over = Counter({t: n for t, n in passed_over.items() if waiting[t]})
        assert max(passed_over.values(), default=0) <= WORKERS * (1 + ceil(TENANTS / LIMIT))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's")
def test_claim_among_many_tenants_reads_the_index_only_where_they_begin():
    for number in range(30):
        put(uuid.UUID(int=number + 1), 100)
    for _ in range(2):
        claim(100)
    turns = leases.TURNS.of("chat")
    sql = leases._claim(turns.ctes(leases.queue_of("chat")))

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE delivery_gateway_notificationlog")
        cursor.execute(f"EXPLAIN {sql}", turns.params(100) | {"lease_until": timezone.now(), "now": timezone.now()})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    walks = plan[: plan.index("CTE circle")]
    assert "Index Only Scan using ledger_queued_by_tenant" in walks
    assert "Sort  (" not in walks


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's")
def test_claim_from_a_long_queue_does_not_read_the_ledger():
    for _ in range(5):
        put(NOISY, 1_000)
    for _ in range(2):
        claim(10)
    turns = leases.TURNS.of("chat")
    sql = leases._claim(turns.ctes(leases.queue_of("chat")))

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE delivery_gateway_notificationlog")
        cursor.execute(f"EXPLAIN {sql}", turns.params(10) | {"lease_until": timezone.now(), "now": timezone.now()})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Hash Join" not in plan[plan.index("CTE q") :]


class Provider:
    def send(self, message):
        return Receipt(provider_id=str(message.id))


def test_claims_are_small_while_a_tenant_with_little_to_send_shares_them(monkeypatch):
    """What it sends next then waits behind few rows of the others."""
    monkeypatch.setattr(delivery, "publish", lambda stage: None)
    monkeypatch.setattr(delivery, "get_provider", lambda channel, integration=None: Provider())
    monkeypatch.setattr("delivery_gateway.harbour.IDLE_SECONDS", 0.1)
    put(NOISY, 3 * delivery.BATCH, channel="webhook")
    put(OTHER, channel="webhook")
    limits, claim_of_lane = [], leases.claim

    def seen(lane, *, limit, now):
        limits.append(limit)
        return claim_of_lane(lane, limit=limit, now=now)

    monkeypatch.setattr(leases, "claim", seen)
    claimed = delivery.deliver("webhook")

    assert claimed == 3 * delivery.BATCH + 1
    small = limits.index(delivery.PORTION)
    assert limits == [delivery.BATCH] * small + [delivery.PORTION] * (len(limits) - small)
    assert harbour().wait(5)
    assert set(NotificationLog.objects.values_list("status", "reason")) == {(Status.SENT, "")}


def test_claims_stay_large_while_all_have_much_to_send():
    several = put(NOISY, 5) + put(OTHER, 4)

    assert not delivery.is_uneven(several)
    assert delivery.is_uneven(several + put(uuid7(), 1))
