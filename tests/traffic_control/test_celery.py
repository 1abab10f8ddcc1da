"""What Celery's wiring has to survive."""

import uuid
from typing import Any

import pytest
from celery import current_app
from django.conf import settings


@pytest.mark.skipif(not settings.BROKER_IS_REDIS, reason="about Redis as the broker")
def test_connection_lost_with_a_message_in_hand_can_be_closed():
    """What a worker does when Redis goes away between a task's end and its acknowledgement."""
    queue = f"test-{uuid.uuid4().hex}"
    connection: Any = current_app.connection_for_read(settings.CELERY_BROKER_URL)
    simple: Any = connection.SimpleQueue(queue)
    simple.put("wake up")
    simple.get(timeout=5)
    connection.transport.client = None
    simple.channel._disconnect_pools()

    simple.channel.close()

    assert simple.channel.closed
    connection.release()
