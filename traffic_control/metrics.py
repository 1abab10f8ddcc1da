"""What the processes count, added up in Redis, where whoever is scraped finds the sums of all.

Counting costs a dictionary entry; Redis is written once a second, off to the side, so that no request and no batch
waits for it. What was counted while Redis is away is kept and written when it is back; a process that is killed loses
its last second. Without Redis every process knows its own counts only.

Label values are words of ours out of short lists: never tenants, addresses or ids.
"""

import atexit
import os
import threading
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

from traffic_control.redis_client import redis_client

WRITE_EVERY = 1.0  # seconds
WRITE_AGAIN = 5.0  # seconds, after Redis did not take it
INFINITY, SUM = "+Inf", "sum"

Series = tuple[str, ...]  # a metric's name, its label values, and for a histogram the bucket or SUM


@dataclass(frozen=True, slots=True)
class Counter:
    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """`bounds` are in seconds, if the name says so; an observation counts in the first bucket that it fits into."""

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]

    def bucket(self, seconds: float) -> str:
        place = bisect_left(self.bounds, seconds)
        return str(self.bounds[place]) if place < len(self.bounds) else INFINITY


EVENTS = Counter("events_received", "Events at the door.", ("outcome",))
NOTIFICATIONS = Counter("notifications", "Notifications decided upon, each once.", ("channel", "outcome"))
SUPPRESSIONS = Counter("suppressions", "Notifications decided against, by rule.", ("channel", "reason"))
TEMPLATE_ERRORS = Counter("template_render_errors", "Notifications whose template failed.", ("channel",))
DELIVERIES = Counter("deliveries", "What came of claimed notifications.", ("channel", "provider", "outcome"))
ATTEMPTS = Counter("delivery_attempts", "Calls of providers.", ("channel", "provider", "error_class"))
DEAD_LETTERS = Counter("dead_letters_opened", "Notifications that failed for good.", ("channel",))
CALL_SECONDS = Histogram(
    "provider_request_duration_seconds", "How long providers take to answer.", ("channel", "provider"),
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)  # fmt: skip
LATENCY = Histogram(
    "delivery_latency_seconds", "From acceptance to the provider's yes; a send_at counts too.", ("channel",),
    (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0),
)  # fmt: skip
HTTP_SECONDS = Histogram(
    "http_request_duration_seconds", "How long requests take.", ("route", "method", "status"),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)  # fmt: skip
DIGEST_ITEMS = Histogram(
    "digest_items", "Notifications that a digest of quiet hours stands for.", ("channel",),
    (2, 5, 10, 20, 50, 100, 500, 1_000, 5_000, 10_000),
)  # fmt: skip
FAILED_OPEN = Counter("rate_limit_failed_open", "Let through unchecked because Redis was away.")
CALLBACKS = Counter("provider_callbacks", "News from providers, and calls refused.", ("service", "kind", "outcome"))
UNSUBSCRIPTIONS = Counter("unsubscriptions", "Posts to unsubscribe links, and wrong links.", ("outcome",))
BAD_KEYS = Counter("bad_api_keys", "Requests with a key that is unknown, expired or revoked.", ("answer",))
UNKNOWN_TASKS = Counter("unknown_tasks", "Wake-ups of another version, which were rejected.")
STREAM_EVENTS = Counter("inbox_stream_events", "Events sent to open streams of inboxes.")
STREAMS_ENDED = Counter("inbox_streams_ended", "Streams of inboxes that ended, or were not let in (full).", ("reason",))
COUNTERS = (
    EVENTS, NOTIFICATIONS, SUPPRESSIONS, TEMPLATE_ERRORS, DELIVERIES, ATTEMPTS, DEAD_LETTERS, FAILED_OPEN,
    UNSUBSCRIPTIONS, UNKNOWN_TASKS, CALLBACKS, BAD_KEYS,
    STREAM_EVENTS, STREAMS_ENDED,
)  # fmt: skip
HISTOGRAMS = (CALL_SECONDS, LATENCY, HTTP_SECONDS, DIGEST_ITEMS)


class Tally:
    """What one batch counts; given over in one go."""

    def __init__(self) -> None:
        self.counts: Counts[Series] = Counts()

    def count(self, metric: Counter, *labels: str, by: int = 1) -> None:
        self.counts[(metric.name, *labels)] += by

    def observe(self, metric: Histogram, seconds: float, *labels: str) -> None:
        self.counts[(metric.name, *labels, metric.bucket(seconds))] += 1
        self.counts[(metric.name, *labels, SUM)] += round(seconds * 1_000_000)

    def add(self) -> None:
        METER.add(self.counts)

    def add_on_commit(self) -> None:
        """Nothing is counted that was rolled back."""
        if self.counts:
            transaction.on_commit(partial(METER.add, self.counts), robust=True)


def count(metric: Counter, *labels: str, by: int = 1) -> None:
    """At once, also when the transaction under way is rolled back."""
    METER.add({(metric.name, *labels): by})


class Meter:
    """What this process has counted and not yet written."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As at the start of the process: what a parent has counted, the parent writes."""
        self._counts: Counts[Series] = Counts()
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, counts: Mapping[Series, int]) -> None:
        with self._lock:
            self._counts.update(counts)
            self._write_in(WRITE_EVERY)

    def totals(self) -> Mapping[Series, int] | None:
        """Of all processes, this one's last second included; without Redis its own. None while Redis is away."""
        client = redis_client()
        if client is None:
            return dict(self._counts)
        if not self.write():
            return None
        try:
            stored: Any = client.hgetall(_key())
        except RedisError:
            return None
        return {tuple(field.decode().split("\t")): int(number) for field, number in stored.items()}

    def write(self) -> bool:
        """Adds what has gathered to the sums, all of it or nothing. False when Redis does not take it."""
        client = redis_client()
        with self._writing:
            counts = self._taken() if client is not None else {}
            try:
                if client is not None and counts:
                    with client.pipeline(transaction=True) as pipe:
                        for series, number in counts.items():
                            pipe.hincrby(_key(), "\t".join(series), number)
                        pipe.execute()
            except RedisError:
                with self._lock:
                    self._counts.update(counts)
                    self._write_in(WRITE_AGAIN)
                return False
        return True

    def write_last(self) -> None:
        """The process ends."""
        if self._counts:
            self.write()

    def _taken(self) -> Mapping[Series, int]:
        with self._lock:
            taken, self._counts = self._counts, Counts()
        return taken

    def _write_in(self, seconds: float) -> None:
        """One timer at a time, none while nothing is counted. The caller holds the lock."""
        if self._timer is None and settings.REDIS_URL:
            self._timer = threading.Timer(seconds, self._write_due)
            self._timer.daemon = True
            self._timer.start()

    def _write_due(self) -> None:
        with self._lock:
            self._timer = None
        self.write()


def _key() -> str:
    return f"{settings.REDIS_KEY_PREFIX}metrics"


METER = Meter()
os.register_at_fork(after_in_child=METER.forget)
atexit.register(METER.write_last)
