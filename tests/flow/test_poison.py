"""A message that kills whoever sends it, among others that do not."""

from collections import Counter
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway import leases, ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.states import Status
from tests.flow.fragile_worker import POISON
from tests.flow.stack import Stack, stack, wait_until

NEIGHBOURS = 12

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def rows(acme, webhook_peer):
    """One poison in the middle of its neighbours, each of which takes its time."""
    webhook_peer.always("slow:0.2")
    webhook_peer.secret = acme.webhook_secret
    common = {"tenant_id": acme.tenant.id, "channel": "webhook", "status": Status.QUEUED, "created_at": timezone.now()}
    bodies = ["fine"] * (NEIGHBOURS // 2) + [POISON] + ["fine"] * (NEIGHBOURS // 2)
    rows = [NewNotification(**common, to=webhook_peer.url, body=body) for body in bodies]
    ledger.open_rows(rows)
    return rows


def fragile(running: Stack) -> None:
    flags = ("--without-gossip", "--without-mingle", "--loglevel=INFO", "--concurrency=1", "-Q", "deliver.webhook")
    running.start("worker", "tests.flow.fragile_worker", "-A", "traffic_control", "worker", *flags)


def deaths(running: Stack) -> int:
    return (running.log_folder / "worker.log").read_text().count("exited with 'signal 11 (SIGSEGV)'")


def has_died(running: Stack, times: int) -> bool:
    return deaths(running) == times


def condemned() -> bool:
    return NotificationLog.objects.filter(status="failed").exists()


def has_ended() -> bool:
    return not NotificationLog.objects.filter(status__in=("queued", "sending", "scheduled")).exists()


def judge(running, peer):
    """The poison has ended, its neighbours have arrived, and nobody got more than is admitted."""
    poison = NotificationLog.objects.get(body=POISON)
    assert (poison.status, poison.reason, poison.crashes) == ("failed", "poison", 3)
    assert DeadLetter.objects.get().notification_id == poison.id
    assert deaths(running) == 3
    neighbours = {str(row.id): row for row in NotificationLog.objects.exclude(id=poison.id)}
    assert {row.status for row in neighbours.values()} == {"sent"}
    received = Counter(request.headers["webhook-id"] for request in peer.received)
    assert set(received) == set(neighbours)
    assert all(count - 1 <= neighbours[id].ambiguous for id, count in received.items())


def test_poison_ends_after_three_deaths_and_its_neighbours_arrive(rows, webhook_peer, tmp_path):
    with stack(tmp_path) as running:
        running.dispatcher()
        fragile(running)

        wait_until(lambda: condemned() and has_ended(), seconds=60, what="the end of the poison")

        judge(running, webhook_peer)


def test_poison_ends_alone_where_no_journal_tells_what_was_under_way(rows, webhook_peer, tmp_path):
    """All that was claimed with it lapses with it, again and again."""
    with stack(tmp_path, JOURNAL_DIR="") as running:
        running.dispatcher()
        fragile(running)
        for death in (1, 2, 3):
            wait_until(partial(has_died, running, death), seconds=30, what=f"death {death}")
            leases.release_lapsed(now=timezone.now() + leases.LEASE * 2, limit=100)

        wait_until(has_ended, seconds=30, what="delivery")

        judge(running, webhook_peer)
