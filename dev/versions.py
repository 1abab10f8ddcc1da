"""Which servers a run stands on, for the first line of every log."""

import platform
import sqlite3
from collections.abc import Mapping
from contextlib import closing

import psycopg2
import redis


def versions(settings: Mapping[str, str]) -> str:
    """Such as "PostgreSQL 18.6, Valkey 9.1.2, Python 3.11.7"."""
    cache = settings.get("REDIS_URL") or settings["CELERY_BROKER_URL"]
    return f"{database_version(settings['DATABASE_URL'])}, {redis_version(cache)}, Python {platform.python_version()}"


def database_version(url: str) -> str:
    if not url.startswith("postgres"):
        return f"SQLite {sqlite3.sqlite_version}" if url.startswith("sqlite") else url.partition(":")[0]
    with closing(psycopg2.connect(url, connect_timeout=5)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"


def redis_version(url: str) -> str:
    """Valkey gives its own version beside the Redis version that it is compatible with."""
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        told = client.info("server")
    return f"Valkey {told['valkey_version']}" if "valkey_version" in told else f"Redis {told['redis_version']}"
