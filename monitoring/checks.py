"""What each part of the system says of itself, within a second each; the backlog, within two."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from redis.exceptions import RedisError

from delivery_gateway.partitions import is_partitioned, strays
from monitoring import gauges
from monitoring.deadline import TookTooLong, ask_database
from traffic_control import heartbeat
from traffic_control.heartbeat import DISPATCHER, Beat
from traffic_control.redis_client import Away, redis_client
from traffic_control.scope import NOBODY, within

SECONDS = 1.0
OVERDUE = 120.0  # seconds that work may wait before somebody should look
PASS, WARN, FAIL = "pass", "warn", "fail"
EAGER, UNUSED, UNKNOWN = "eager", "unused", "unknown"  # nothing to ask, and nothing wrong about that
_is_migrated = False


@dataclass(frozen=True, slots=True)
class Finding:
    status: str
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"status": self.status, **self.facts}


def database() -> Finding:
    return _timed(lambda: ask_database(_select, seconds=SECONDS))


def migrations() -> Finding:
    """Whether this code finds its tables. Once it has, it is not asked again: releases only ever add."""
    global _is_migrated
    if _is_migrated:
        return Finding(PASS)
    try:
        missing = ask_database(_unapplied, seconds=SECONDS)
    except (DatabaseError, TookTooLong) as exc:
        return Finding(FAIL, {"error": type(exc).__name__})
    _is_migrated = not missing
    return Finding(FAIL, {"unapplied": missing}) if missing else Finding(PASS)


def partitions() -> Finding:
    """Rows that no month's partition took work like all others, but no month takes them away."""
    if not is_partitioned():
        return Finding(UNUSED)
    try:
        found = ask_database(strays, seconds=SECONDS)
    except (DatabaseError, TookTooLong):
        return Finding(UNKNOWN)
    return Finding(WARN, {"stray_rows": sum(found.values())}) if found else Finding(PASS)


def backlog() -> Finding:
    """Whether work waits for longer than it should: a warning, because more workers are what it may take."""
    waiting = gauges.waiting()
    if waiting is None:
        return Finding(UNKNOWN)
    what, seconds = waiting.latest
    facts = {"oldest_s": round(seconds, 1)} | ({"of": what} if seconds else {})
    return Finding(WARN if seconds > OVERDUE else PASS, facts)


def redis() -> Finding:
    client = redis_client()
    return _timed(client.ping) if client is not None else Finding(UNUSED)


def celery() -> Finding:
    """A worker for each queue, by its heartbeat. A queue that nobody takes from is a warning."""
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return Finding(EAGER)
    try:
        beats = heartbeat.beats()
    except Away:
        return _deaf()
    return workers_among([beat for beat in beats if beat.role != DISPATCHER])


def workers_among(beats: list[Beat]) -> Finding:
    last = _ages(beats)
    living = {beat.role for beat in beats if beat.is_alive}
    unattended = [queue for queue in settings.QUEUES if queue not in living]
    facts = last | ({"unattended": unattended} if unattended else {})
    return Finding(FAIL if not living else WARN if unattended else PASS, facts)


def dispatcher() -> Finding:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return Finding(EAGER)
    try:
        beats = [beat for beat in heartbeat.beats() if beat.role == DISPATCHER]
    except Away:
        return Finding(UNKNOWN)
    return Finding(PASS if any(beat.is_alive for beat in beats) else FAIL, _ages(beats))


def _ages(beats: list[Beat]) -> dict[str, Any]:
    return {"age_s": round(min(beat.age for beat in beats), 1) if beats else None}


def _deaf() -> Finding:
    """No heartbeat can be heard. When Redis is the workers' broker too, they hear nothing either."""
    is_broker_away = settings.BROKER_IS_REDIS and redis_client() is not None
    return Finding(FAIL, {"error": "the broker does not answer"}) if is_broker_away else Finding(UNKNOWN)


def _timed(check: Callable[[], Any]) -> Finding:
    began = time.perf_counter()
    error: dict[str, Any] = {}
    try:
        check()
    except (DatabaseError, RedisError, OSError, TookTooLong) as exc:
        error = {"error": type(exc).__name__}
    latency = round((time.perf_counter() - began) * 1000, 1)
    return Finding(FAIL if error else PASS, {**error, "latency_ms": latency})


def _select() -> None:
    """As a request would, so that a database with which none gets anywhere is none."""
    with within(NOBODY), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _unapplied() -> int:
    loader = MigrationLoader(connection)
    return len(loader.disk_migrations.keys() - loader.applied_migrations.keys())
