"""1,000 dead letters after a repair, in the product's own processes, one of which is killed in the middle."""

from collections import Counter

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from delivery_gateway.replay_job import ReplayJob
from monitoring.models import AuditEntry
from tests.conftest import client_with
from tests.flow.stack import stack, wait_until

MANY = 1_000

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="processes beside the test need PostgreSQL")


@pytest.mark.timeout(180)
def test_all_are_delivered_and_none_twice_when_the_worker_dies(acme, fail, webhook_peer, tmp_path):
    webhook_peer.secret = acme.webhook_secret
    fail(MANY, to=webhook_peer.url)
    api = client_with(acme.api_key)
    with stack(tmp_path, EGRESS_ALLOW_HTTP="1") as running:
        running.worker("router", queues="process", concurrency=1)
        running.worker("deliverer", queues="deliver.webhook", concurrency=1)
        running.dispatcher()

        job = api.post("/v1/dead-letters/replays/", {"channel": "webhook", "rate": 400}).json()
        wait_until(lambda: ReplayJob.objects.get().replayed >= 400, seconds=60, what="the first slice")
        running.kill("router")
        halfway = api.get(job["links"]["self"]).json()
        running.worker("router again", queues="process", concurrency=1)
        wait_until(lambda: ReplayJob.objects.get().state == "finished", seconds=60, what="the job's end")
        wait_until(
            lambda: NotificationLog.objects.filter(status="sent").count() == MANY, seconds=60, what="the delivery"
        )

    assert (halfway["state"], halfway["total"]) == ("running", MANY)
    assert 400 <= halfway["replayed"] < MANY
    done = api.get(job["links"]["self"]).json()
    assert (done["replayed"], done["outcomes"]) == (MANY, {"sent": MANY})
    received = Counter(request.headers["webhook-id"] for request in webhook_peer.received)
    assert (len(received), max(received.values())) == (MANY, 1)
    assert set(AuditEntry.objects.filter(action__startswith="replay_job").values_list("action", "summary")) == {
        ("replay_job.started", f"{MANY} dead letters to be sent again"),
        ("replay_job.finished", f"{MANY} of {MANY} dead letters sent again"),
    }
