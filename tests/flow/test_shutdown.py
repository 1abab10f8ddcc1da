"""SIGTERM, as deployments send it: what is out is recorded, the rest is given back, and all end well in time."""

import os
import signal
import time
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from tests.flow.stack import QUEUES, stack, wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]
GRACE = 30.0  # seconds that orchestrators give


@pytest.fixture
def running(acme, webhook_peer, tmp_path):
    """Workers have two sends out at most."""
    webhook_peer.secret = acme.webhook_secret
    with stack(tmp_path, DELIVERY_CONCURRENCY="2") as started:
        yield started


def queue(tenant, count, to):
    now = timezone.now()
    common = {"tenant": tenant, "channel": "webhook", "lane": "webhook", "to": to, "status": "queued"}
    rows = [NotificationLog(**common, created_at=now, routed_at=now) for _ in range(count)]
    NotificationLog.objects.bulk_create(rows)


def states():
    """What was not sent is "unsent", whether it waits for a worker or, beside sends that hang, for its time."""
    found = NotificationLog.objects.values_list("status", "attempts", "ambiguous")
    waiting = {("queued", 0, 0): "unsent", ("scheduled", 0, 0): "unsent"}
    return Counter(waiting.get(one, one) for one in found)


def end(running, name, *, group=False):
    """Its exit code, and how many seconds it took."""
    process, began = running.running.pop(name), time.monotonic()
    if group:  # as systemd does
        os.killpg(process.pid, signal.SIGTERM)
    else:
        process.terminate()
    return process.wait(GRACE), time.monotonic() - began


def out(running, webhook_peer, tenant, *faults):
    """A worker with these sends out, and eight more in hand."""
    webhook_peer.script(*faults)
    queue(tenant, 8 + len(faults), webhook_peer.url)
    running.dispatcher()
    flags = ("--without-gossip", "--without-mingle", "--loglevel=INFO", "--concurrency=1", "-Q", QUEUES)
    running.start("worker", "tests.flow.impatient_worker", "-A", "traffic_control", "worker", *flags)
    webhook_peer.wait_for(len(faults), seconds=40)


def test_worker_waits_for_what_is_out_and_gives_back_the_rest(acme, running, webhook_peer):
    out(running, webhook_peer, acme.tenant, "slow:2", "hang")

    code, seconds = end(running, "worker")

    assert (code, states()) == (0, {("sent", 1, 0): 1, ("scheduled", 1, 1): 1, "unsent": 8})
    assert seconds < GRACE
    assert len(webhook_peer.received) == 2


def test_worker_whose_processes_are_all_asked_at_once_leaves_nothing_behind(acme, running, webhook_peer):
    out(running, webhook_peer, acme.tenant, "slow:2", "slow:2")

    code, seconds = end(running, "worker", group=True)

    assert (code, states()) == (0, {("sent", 1, 0): 2, "unsent": 8})
    assert seconds < GRACE


def test_web_and_dispatcher_end_at_once(acme, running):
    running.dispatcher()
    running.web()
    wait_until(lambda: "dispatcher started" in (running.log_folder / "dispatcher.log").read_text(), what="the start")

    ends = {name: end(running, name) for name in ("web", "dispatcher")}

    assert {name: code for name, (code, _) in ends.items()} == {"web": 0, "dispatcher": 0}
    assert max(seconds for _, seconds in ends.values()) < GRACE / 2
