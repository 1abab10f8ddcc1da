"""One worker process and a receiver that is slow to answer."""

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from tests.flow.stack import stack, wait_until
from tests.peers.http_server import HttpPeer

CALLS, MESSAGES = 40, 140  # five times as many: make soak
ANSWER_SECONDS = 2.0

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]


class SlowPeer(HttpPeer):
    """Answers each request after two seconds, however many wait for an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = self.most = 0

    async def _reply(self, *request: Any) -> bool:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(ANSWER_SECONDS)
        self.waiting -= 1
        return await super()._reply(*request)


def test_one_process_has_all_its_calls_out_at_once_to_a_provider_that_is_slow(acme, tmp_path):
    send(acme, tmp_path, calls=CALLS, messages=MESSAGES)


def send(acme, tmp_path, *, calls, messages):
    """By one process that may have so many calls out: it has, and uses connections again."""
    now = timezone.now()
    with SlowPeer() as peer, stack(tmp_path, EGRESS_ALLOW_HTTP="1", DELIVERY_CONCURRENCY=str(calls)) as running:
        common = {"tenant_id": acme.tenant.id, "channel": "webhook", "status": Status.QUEUED, "created_at": now}
        ledger.open_rows([NewNotification(**common, to=peer.url, body=str(n)) for n in range(messages)])
        running.dispatcher()
        running.worker(queues="deliver.webhook", concurrency=1)

        sent = NotificationLog.objects.filter(status="sent")
        wait_until(lambda: sent.count() == messages, seconds=90, what="delivery of everything")

    assert peer.most >= calls
    assert len(peer.received) == messages
    assert peer.connections < messages  # most are used again
