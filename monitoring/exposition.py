"""Everything that is measured, as Prometheus reads it: counters of all processes, and gauges of this moment."""

import platform
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate

import django
from django.conf import settings
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from delivery_gateway import circuit_breaker
from delivery_gateway.circuit import State
from inbox.stream.open_streams import open_streams
from monitoring import gauges
from monitoring.gauges import Waiting
from traffic_control import __version__, heartbeat
from traffic_control.heartbeat import DISPATCHER, Beat
from traffic_control.metrics import COUNTERS, HISTOGRAMS, INFINITY, METER, SUM, Counter, Histogram, Series
from traffic_control.redis_client import Away

PREFIX = "traffic_control_"
LEVELS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}
Totals = Mapping[Series, int]


def exposition(accept: str) -> tuple[bytes, str]:
    """The text and its content type, as the scraper asked for it."""
    registry = CollectorRegistry()
    registry.register(Everything())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        """What cannot be asked is left out, and said to be down: no number is better than a wrong one."""
        totals, waiting = _totals(), gauges.waiting()
        yield _gauge("database_up", "Whether the database answers.", (), [((), waiting is not None)])
        told = "Whether the counters of all processes can be read."
        yield _gauge("counters_up", told, (), [((), totals is not None)])
        yield from _counted(totals) if totals is not None else ()
        yield from _waits(waiting) if waiting is not None else ()
        yield from _circuits()
        yield from _life()
        yield from _streams()
        about = (__version__, platform.python_version(), django.get_version())
        yield _gauge("build_info", "What is running.", ("version", "python", "django"), [(about, 1)])


def _totals() -> Totals | None:
    """Without Redis, only the one process of an install that works inline knows them all."""
    return METER.totals() if settings.REDIS_URL or settings.CELERY_TASK_ALWAYS_EAGER else None


def _counted(totals: Totals) -> Iterator[Metric]:
    by_name: dict[str, dict[Series, int]] = defaultdict(dict)
    for (name, *rest), number in totals.items():
        by_name[name][tuple(rest)] = number
    for counter in COUNTERS:
        yield _counter(counter, by_name[counter.name])
    for histogram in HISTOGRAMS:
        yield _histogram(histogram, by_name[histogram.name])


def _counter(metric: Counter, found: Mapping[Series, int]) -> Metric:
    family = CounterMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
    for labels, number in found.items() if metric.labels else [((), found.get((), 0))]:
        family.add_metric(labels, number)
    return family


def _histogram(metric: Histogram, found: Mapping[Series, int]) -> Metric:
    family = HistogramMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
    bounds = [*map(str, metric.bounds), INFINITY]
    for labels in {(*labels,) for *labels, _ in found}:
        counts = accumulate(found.get((*labels, bound), 0) for bound in bounds)
        seconds = found.get((*labels, SUM), 0) / 1_000_000
        family.add_metric(labels, list(zip(bounds, counts, strict=True)), seconds)
    return family


def _waits(waiting: Waiting) -> Iterator[Metric]:
    most = f"At most {gauges.MOST} are counted"
    yield _by("queue_depth", f"Waiting for a worker. {most} of each table.", "queue", waiting.depth)
    yield _by("queue_oldest_age_seconds", "How long the first in line has waited.", "queue", waiting.oldest)
    told = f"Tenants, of {gauges.TENANTS} at most, with something that has waited for at least so many seconds."
    yield _gauge("tenants_waiting", told, ("queue", "seconds"), waiting.tenants.items())
    told = "How late the dispatcher is: with what has come due, and with what a silent worker held."
    yield _by("overdue_seconds", told, "what", waiting.overdue)
    yield _by("deliveries_in_flight", "Held by a worker.", "queue", waiting.in_flight)
    yield _by("scheduled_pending", f"Waiting for their time. {most}.", "channel", waiting.scheduled)
    yield _by("held", f"Waiting for a person. {most}.", "channel", waiting.held)
    yield _by("dead_letters", f"Not sent again, among the newest {gauges.MOST}.", "channel", waiting.dead_letters)


def _circuits() -> Iterator[Metric]:
    """Tenants are not named: the worst of their circuits, and how many are not closed."""
    levels: dict[tuple[str, str], list[int]] = defaultdict(list)
    for found in circuit_breaker.open_circuits():
        levels[(found.channel, found.provider)].append(LEVELS[found.state])
    labels, told = ("channel", "provider"), "0 closed, 1 half open, 2 open: the worst of any tenant."
    yield _gauge("circuit_state", told, labels, [(key, max(found)) for key, found in levels.items()])
    told = "Tenants whose circuit is not closed."
    yield _gauge("circuits_not_closed", told, labels, [(key, len(found)) for key, found in levels.items()])


def _life() -> Iterator[Metric]:
    """The last heartbeat for each queue, and how many workers take from it."""
    try:
        beats = heartbeat.beats()
    except Away:
        return
    workers = [beat for beat in beats if beat.role != DISPATCHER]
    last = {queue: max((b.at for b in workers if b.role == queue), default=0.0) for queue in settings.QUEUES}
    alive = {queue: sum(b.is_alive for b in workers if b.role == queue) for queue in settings.QUEUES}
    yield _by("worker_heartbeat_timestamp_seconds", "When a worker was last heard of; 0: never.", "queue", last)
    yield _by("workers", "Workers alive.", "queue", alive)
    yield _gauge("dispatcher_heartbeat_timestamp_seconds", "As above.", (), [((), _last(beats))])


def _streams() -> Iterator[Metric]:
    with suppress(Away):
        yield _gauge("inbox_streams", "Open streams of inboxes.", (), [((), open_streams())])


def _last(beats: Iterable[Beat]) -> float:
    return max((beat.at for beat in beats if beat.role == DISPATCHER), default=0.0)


def _by(name: str, told: str, label: str, found: Mapping[str, float]) -> Metric:
    return _gauge(name, told, (label,), [((value,), number) for value, number in found.items()])


def _gauge(name: str, told: str, labels: tuple[str, ...], found: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, told, labels=labels)
    for values, number in found:
        family.add_metric(values, float(number))
    return family
