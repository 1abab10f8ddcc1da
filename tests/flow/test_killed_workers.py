"""Delivery workers killed with messages on their way: what each channel then sees, and what the ledger says of it."""

import os
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway.models import InboxItem, NotificationLog
from tests.flow.stack import Stack, stack, wait_until
from user_preferences.models import Customer

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]
WELL_BEFORE_A_LEASE_ENDS = 30.0  # seconds


@pytest.fixture
def running(acme, webhook_peer, smtp_peer, tmp_path):
    """A dispatcher, and a worker with one process that has two sends out at most."""
    mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(smtp_peer.port), "EMAIL_USE_TLS": "0"}
    backend = {"EMAIL_BACKEND": "delivery_gateway.channels.smtp.SmtpBackend"}
    webhook_peer.secret = acme.webhook_secret
    with stack(tmp_path, DELIVERY_CONCURRENCY="2", **mail, **backend) as started:
        started.dispatcher()
        yield started


def queue(tenant, count, *, channel, lane, to, **fields):
    now = timezone.now()
    common = {"tenant": tenant, "channel": channel, "lane": lane, "to": to, "subject": "Hello", "body": "Hello"}
    rows = [
        NotificationLog(**common, status="queued", created_at=now, routed_at=now, **fields | {"user_id": f"u{number}"})
        for number in range(count)
    ]
    NotificationLog.objects.bulk_create(rows)


def pool_of(running: Stack) -> list[int]:
    pid = running.running["worker"].pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_pool(running: Stack) -> None:
    for child in pool_of(running):
        os.kill(child, signal.SIGKILL)


def states():
    return Counter(NotificationLog.objects.values_list("status", "ambiguous"))


def all_are(status):
    return lambda: not NotificationLog.objects.exclude(status=status).exists()


def has_items(least):
    return InboxItem.objects.count() >= least


def test_only_what_was_on_its_way_is_sent_again(acme, running, webhook_peer):
    webhook_peer.script("hang", "hang")
    queue(acme.tenant, 10, channel="webhook", lane="webhook", to=webhook_peer.url)
    running.worker(concurrency=1)
    webhook_peer.wait_for(2, seconds=30)

    kill_pool(running)

    wait_until(all_are("sent"), seconds=WELL_BEFORE_A_LEASE_ENDS, what="delivery")
    assert states() == {("sent", 0): 8, ("sent", 1): 2}
    ids = Counter(request.headers["webhook-id"] for request in webhook_peer.received)
    assert Counter(ids.values()) == {1: 8, 2: 2}


def test_dispatcher_frees_what_a_killed_worker_had_not_begun(acme, running, webhook_peer):
    webhook_peer.always("hang")
    queue(acme.tenant, 10, channel="webhook", lane="webhook", to=webhook_peer.url)
    running.worker(concurrency=1)
    webhook_peer.wait_for(2, seconds=30)

    running.kill("worker")

    wait_until(all_are("queued"), seconds=WELL_BEFORE_A_LEASE_ENDS, what="the release")
    assert states() == {("queued", 0): 8, ("queued", 1): 2}
    assert sum(NotificationLog.objects.values_list("crashes", flat=True)) == 2


def test_email_that_is_sent_again_keeps_its_message_id(acme, running, smtp_peer):
    smtp_peer.script("dot:hang")
    queue(acme.tenant, 1, channel="email", lane="email", to="ann@example.com")
    running.worker(concurrency=1)
    smtp_peer.wait_for(1, seconds=30)

    kill_pool(running)

    wait_until(all_are("sent"), seconds=WELL_BEFORE_A_LEASE_ENDS, what="delivery")
    assert states() == {("sent", 1): 1}
    (first, second) = [mail.message["Message-ID"] for mail in smtp_peer.received]
    assert first == second


def test_chat_message_is_held_after_two_repeats(acme, running, slack_peer):
    slack_peer.script("hang", "hang", "reset")
    queue(acme.tenant, 1, channel="slack", lane="chat", to=slack_peer.url)
    running.worker(concurrency=1)
    for count in (1, 2):
        slack_peer.wait_for(count, seconds=30)
        kill_pool(running)

    wait_until(all_are("held"), seconds=WELL_BEFORE_A_LEASE_ENDS, what="the hold")
    assert states() == {("held", 3): 1}
    assert len(slack_peer.received) == 3


def test_in_app_message_arrives_once_whatever_is_killed(acme, running):
    ann = Customer.objects.create(tenant=acme.tenant, user_id="ann", email="ann@example.com")
    queue(acme.tenant, 2_000, channel="in_app", lane="in_app", to="", customer_id=ann.id)
    running.worker(concurrency=1)

    for least in (1, 500, 1_000):
        wait_until(partial(has_items, least), seconds=30, what="deliveries")
        kill_pool(running)

    wait_until(all_are("sent"), seconds=WELL_BEFORE_A_LEASE_ENDS, what="delivery")
    assert states() == {("sent", 0): 2_000}
    assert InboxItem.objects.count() == 2_000
