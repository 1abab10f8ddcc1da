"""One Redis connection pool per process, for wake-up flags and rate limits: everything in it may be lost."""

from functools import cache

import redis
from django.conf import settings

TIMEOUT = 0.2  # seconds; intake must not hang on Redis


@cache
def redis_client() -> redis.Redis | None:
    """None when the install has no Redis (embedded, or RabbitMQ without REDIS_URL)."""
    if not settings.REDIS_URL:
        return None
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, health_check_interval=30
    )
