"""The key that seals credentials is changed while messages flow, by the steps that docs/operations.md has."""

import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from tenants import integrations
from tenants.models import Integration
from tenants.providers import SMTP
from tenants.rotation import Progress, rotate
from tests.flow.scrape import ask
from tests.flow.stack import Stack, stack, wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="processes beside the test need PostgreSQL"),
    pytest.mark.timeout(180),
]
K1, K2 = (f"{name}:{base64.b64encode(name.encode() * 16).decode()}" for name in ("k1", "k2"))
OTHERS = 6  # integrations that are sealed anew besides


@pytest.fixture(autouse=True)
def first_key(settings) -> None:
    """What the tenant is registered under."""
    settings.CREDENTIALS_KEYS = [K1]


@pytest.fixture
def running(acme, webhook_peer, tmp_path: Path) -> Iterator[Stack]:
    webhook_peer.secret = acme.webhook_secret
    for n in range(OTHERS):
        integrations.create(acme.tenant, "email", provider=SMTP, values={"host": "mx.test", "password": f"secret-{n}"})
    with stack(tmp_path, CREDENTIALS_KEYS=K1) as processes:
        processes.dispatcher()
        yield processes


def replace_worker(running: Stack, old: str, new: str, *keys: str) -> None:
    """As a rolling restart: the new one comes first, and the old one ends what it has begun."""
    running.extra["CREDENTIALS_KEYS"] = ",".join(keys)
    running.worker(new)
    running.running[old].send_signal(signal.SIGTERM)
    running.running.pop(old).wait(30)


def sealed_with() -> set[str]:
    return {sealed.partition(":")[0] for sealed in Integration.objects.values_list("sealed", flat=True)}


def test_no_message_fails_while_the_key_changes(acme, webhook_peer, running: Stack, settings):
    accepted = 0

    def post(web: str, count: int) -> None:
        nonlocal accepted
        message = {"channel": "webhook", "to": webhook_peer.url, "body": "Hello"}
        assert {ask(f"{web}/v1/notify/", key=acme.api_key, body=message)[0] for _ in range(count)} == {202}
        accepted += count

    def all_sent() -> bool:
        return NotificationLog.objects.filter(status="sent").count() == accepted

    web = running.web("web-1")
    running.worker("worker-1")
    post(web, 10)
    wait_until(all_sent, what="delivery under the first key")

    replace_worker(running, "worker-1", "worker-2", K1, K2)  # the new one at the end: all can open it
    post(web, 10)
    running.extra["CREDENTIALS_KEYS"] = f"{K2},{K1}"  # at the front: it seals
    new_web = running.web("web-2")
    hook = {"channel": "webhook", "config": {"secret": acme.webhook_secret}}
    made = json.loads(ask(f"{new_web}/v1/integrations/", key=acme.api_key, body=hook)[1])
    post(new_web, 10)
    wait_until(all_sent, what="delivery by a worker that seals with the other key")
    mixed = sealed_with()

    settings.CREDENTIALS_KEYS = [K2, K1]
    steps = []
    for progress in rotate(batch=2):
        steps.append(progress)
        post(new_web, 5)
    after = sealed_with()
    replace_worker(running, "worker-2", "worker-3", K2)  # the old key is gone
    running.extra["CREDENTIALS_KEYS"] = K2
    post(running.web("web-3"), 10)

    wait_until(all_sent, what="delivery of all under the new key")
    assert (mixed, after) == ({"k1", "k2"}, {"k2"})
    assert steps[-1] == Progress(seen=OTHERS + 2, resealed=OTHERS + 1)
    assert Integration.objects.get(pk=made["id"]).is_default
    assert not NotificationLog.objects.exclude(status="sent").exists()
    assert len(webhook_peer.accepted) == accepted
