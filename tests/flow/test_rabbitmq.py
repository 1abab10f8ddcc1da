"""RabbitMQ instead of Redis, by its URL alone: every process is real, and there is no Redis at all."""

import json
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from kombu import Connection, Queue

from delivery_gateway.models import NotificationLog
from tests.flow.rabbitmq import GIVEN, SERVER, RabbitMQ, rabbitmq
from tests.flow.stack import Stack, stack, wait_until
from tests.monitoring.test_doctor_install import run as doctor

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.skipif(
        not (GIVEN or SERVER), reason="no RabbitMQ: apt install rabbitmq-server, or name one with RABBITMQ_URL"
    ),
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("rabbitmq"),  # one broker is enough
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """One that a test may stop."""
    if not SERVER:
        pytest.skip("no rabbitmq-server of our own to stop")
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> str:
    """Its URL."""
    return GIVEN or request.getfixturevalue("node").url


@pytest.fixture
def product(acme, broker: str, tmp_path: Path) -> Iterator[Stack]:
    with stack(tmp_path, CELERY_BROKER_URL=broker, REDIS_URL="") as running:
        yield running


def call(web: str, method: str, path: str, key: str, body: Any = None) -> tuple[int, Any]:
    client = HTTPConnection(urlsplit(web).netloc, timeout=10)
    try:
        headers = {"X-API-KEY": key, "Content-Type": "application/json"}
        client.request(method, path, json.dumps(body) if body else None, headers)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        client.close()


def event(number: int) -> dict[str, Any]:
    ann = {"user_id": f"ann{number}", "name": "Ann", "email": f"ann{number}@example.com"}
    return {"event_type": "ORDER_CREATED", "recipients": [ann], "payload": {"order_id": number}, "channels": ["email"]}


def sent() -> int:
    return NotificationLog.objects.filter(status="sent").count()


def test_event_passes_every_stage_by_wake_ups_alone(acme, product: Stack) -> None:
    web = product.web()
    product.worker()

    status, accepted = call(web, "POST", "/api/events/", acme.test_api_key, event(7))

    assert status == 202
    wait_until(sent, seconds=20, what="the email")
    _, page = call(web, "GET", f"/v1/sandbox/messages/?event_id={accepted['id']}", acme.test_api_key)
    [caught] = page["data"]
    assert (caught["to"], caught["subject"]) == ("ann7@example.com", "Order created")


def test_queues_are_replicated_ones_and_empty_when_all_is_sent(acme, product: Stack, broker: str) -> None:
    web = product.web()
    product.worker()
    product.dispatcher()

    batch = {"events": [event(number) for number in range(100)]}
    for _ in range(2):
        assert call(web, "POST", "/api/events/batch/", acme.test_api_key, batch)[0] == 202

    wait_until(lambda: sent() == 200, seconds=60, what="delivery")
    for name in settings.QUEUES:
        wait_until(partial(is_empty, broker, name), seconds=10, what=f"an empty queue {name}")


def is_empty(broker: str, name: str) -> bool:
    """Whether every wake-up has been taken. RabbitMQ refuses to declare a queue of another kind than it is."""
    with Connection(broker) as connection:
        found = Queue(name, queue_arguments={"x-queue-type": "quorum"}).bind(connection.default_channel)
        declared: Any = found.queue_declare()
        return bool(declared.message_count == 0)


def test_outage_of_the_broker_costs_time_only(acme, node: RabbitMQ, tmp_path: Path) -> None:
    with stack(tmp_path, CELERY_BROKER_URL=node.url, REDIS_URL="") as product:
        outlive(product, node, acme.test_api_key)


def outlive(product: Stack, node: RabbitMQ, key: str) -> None:
    web = product.web()
    product.worker()
    product.dispatcher()
    assert call(web, "POST", "/api/events/", key, event(0))[0] == 202
    wait_until(lambda: sent() == 1, what="the first email")

    node.stop()
    taken = [call(web, "POST", "/api/events/", key, event(number))[0] for number in range(1, 4)]
    node.start()

    assert taken == [202, 202, 202]
    wait_until(lambda: sent() == 4, seconds=60, what="delivery after the outage")


def test_doctor_asks_rabbitmq_who_consumes(product: Stack) -> None:
    product.worker()
    wait_until(lambda: doctor(product.env)[1]["rabbitmq"][0]["level"] == "ok", what="a consumer for each queue")
    product.kill("worker")

    wait_until(lambda: doctor(product.env)[1]["rabbitmq"][0]["level"] == "fail", what="queues without a consumer")
    code, verdicts = doctor(product.env)

    assert code == 1
    assert verdicts["rabbitmq"][0]["found"].startswith("nobody takes from process, deliver.email")
    assert verdicts["dispatcher"][0]["level"] == "warn"
    assert "workers" not in verdicts
