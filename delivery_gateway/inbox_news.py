"""Tells whoever has an inbox open that it has changed: a hint in Redis, after the commit, and nothing but whose it is.

A hint that is lost costs time only: the inbox has a version, and whoever listens looks at it now and then.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress

from django.conf import settings
from django.db import transaction
from redis import Redis

from traffic_control.redis_client import Away, ask


def channel_of(customer_id: uuid.UUID) -> str:
    return f"{settings.REDIS_KEY_PREFIX}inbox:{customer_id.hex}"


def tell(customer_ids: Iterable[uuid.UUID]) -> None:
    """Once the transaction under way is committed. Never raises; a Redis that is away is not waited for."""
    if settings.REDIS_URL:
        changed = list(customer_ids)
        transaction.on_commit(lambda: _publish(changed), robust=True)


def _publish(customer_ids: list[uuid.UUID]) -> None:
    def publish(redis: Redis) -> None:
        with redis.pipeline(transaction=False) as line:
            for customer_id in customer_ids:
                line.publish(channel_of(customer_id), "")
            line.execute()

    with suppress(Away):
        ask(publish)
