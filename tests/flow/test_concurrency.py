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

CALLS = 200

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]


class PatientPeer(HttpPeer):
    """Answers nobody until CALLS wait for an answer at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = self.most = 0
        self.enough = asyncio.Event()

    async def _reply(self, *request: Any) -> bool:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.most >= CALLS:
            self.enough.set()
        await self.enough.wait()
        self.waiting -= 1
        return await super()._reply(*request)


def test_one_process_has_200_calls_out_at_once(acme, tmp_path):
    now = timezone.now()
    with PatientPeer() as peer, stack(tmp_path, EGRESS_ALLOW_HTTP="1") as running:
        common = {"tenant_id": acme.tenant.id, "channel": "webhook", "status": Status.QUEUED, "created_at": now}
        ledger.open_rows([NewNotification(**common, to=peer.url, body=str(n)) for n in range(2 * CALLS)])
        running.dispatcher()
        running.worker(queues="deliver.webhook", concurrency=1)

        sent = NotificationLog.objects.filter(status="sent")
        wait_until(lambda: sent.count() == 2 * CALLS, seconds=60, what="delivery of everything")

    assert peer.most >= CALLS
    assert len(peer.received) == 2 * CALLS
    assert peer.connections < 2 * CALLS  # most are used again
