"""What Celery's wiring has to survive."""

import socket
import uuid
from typing import Any

import pytest
from django.conf import settings

from traffic_control.celery import app

pytestmark = pytest.mark.skipif(not settings.BROKER_IS_REDIS, reason="about Redis as the broker")


def test_connection_lost_with_a_message_in_hand_can_be_closed():
    """What a worker does when Redis goes away between a task's end and its acknowledgement."""
    queue = f"test-{uuid.uuid4().hex}"
    connection: Any = app.connection_for_read(settings.CELERY_BROKER_URL)
    simple: Any = connection.SimpleQueue(queue)
    simple.put("wake up")
    simple.get(timeout=5)
    connection.transport.client = None
    simple.channel._disconnect_pools()

    simple.channel.close()

    assert simple.channel.closed
    connection.release()


@pytest.mark.parametrize("answer", ["ack", "reject"])
def test_message_that_outlives_its_connection_is_answered_without_an_error(answer):
    """What a worker does when a task ends after Redis has gone away."""
    connection: Any = app.connection_for_read(settings.CELERY_BROKER_URL)
    simple: Any = connection.SimpleQueue(f"test-{uuid.uuid4().hex}")
    simple.put("wake up")
    message = simple.get(timeout=5)
    connection.collect()

    getattr(message, answer)()

    assert message.channel.connection is None


def test_line_that_breaks_while_orders_are_awaited_is_told_to_celery():
    """Mended in silence, the read would go on, and wait for ever for what the old line had to say."""
    connection: Any = app.connection_for_read(settings.CELERY_BROKER_URL)
    channel = connection.default_channel
    orders = channel.subclient
    orders.psubscribe("orders")
    orders.parse_response()
    orders.connection._sock.shutdown(socket.SHUT_RDWR)

    with pytest.raises(channel.connection_errors):
        orders.parse_response()

    connection.release()
