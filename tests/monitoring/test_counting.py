"""Counts of several processes add up in a real Redis; an outage delays them, a rollback undoes them."""

import os
import threading

import pytest
from django.db import transaction

from traffic_control import metrics
from traffic_control.metrics import HTTP_SECONDS, LATENCY, Counter, Meter, Series, Tally

SENT = Counter("deliveries", "", ("channel",))
EMAIL: dict[Series, int] = {("deliveries", "email"): 1}


@pytest.fixture
def quiet(monkeypatch):
    """Nothing is written but when the test says so."""
    monkeypatch.setattr(metrics, "WRITE_EVERY", 3600.0)


def test_counts_of_two_processes_add_up(quiet):
    one, other = Meter(), Meter()
    one.add(EMAIL)
    other.add({**EMAIL, ("deliveries", "slack"): 2})
    other.write()

    assert one.totals() == {("deliveries", "email"): 2, ("deliveries", "slack"): 2}
    assert other.totals() == one.totals()


def test_counts_are_written_by_themselves(monkeypatch):
    monkeypatch.setattr(metrics, "WRITE_EVERY", 0.01)
    written = threading.Event()
    meter = Meter()
    write = meter.write
    monkeypatch.setattr(meter, "write", lambda: written.set() if write() else None)

    meter.add(EMAIL)

    assert written.wait(10)
    assert Meter().totals() == EMAIL


def test_counts_gathered_while_redis_is_away_are_written_when_it_is_back(quiet, settings):
    meter, reachable = Meter(), settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    meter.add(EMAIL)
    assert meter.totals() is None
    meter.add(EMAIL)

    settings.REDIS_URL = reachable

    assert meter.totals() == {("deliveries", "email"): 2}


def test_counts_of_an_install_without_redis_stay_in_the_process(settings):
    settings.REDIS_URL = ""
    meter = Meter()

    meter.add(EMAIL)

    assert meter.write()
    assert meter.totals() == EMAIL


def test_counts_of_many_threads_are_all_there(quiet):
    meter = Meter()

    def count():
        for _ in range(500):
            meter.add(EMAIL)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        meter.write()
    for thread in threads:
        thread.join()

    assert meter.totals() == {("deliveries", "email"): 4000}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_counts_of_a_parent_are_not_written_by_its_child(quiet):
    meter = Meter()
    os.register_at_fork(after_in_child=meter.forget)
    meter.add(EMAIL)

    child = os.fork()
    if child == 0:
        meter.add({("deliveries", "slack"): 1})
        meter.write()
        os._exit(0)
    os.waitpid(child, 0)

    assert Meter().totals() == {("deliveries", "slack"): 1}


def test_tally_counts_on_commit_and_nothing_on_rollback(quiet, monkeypatch, transactional_db):
    meter = Meter()
    monkeypatch.setattr(metrics, "METER", meter)
    tally = Tally()
    tally.count(SENT, "email")

    with transaction.atomic():
        tally.add_on_commit()
        transaction.set_rollback(True)
    assert meter.totals() == {}
    with transaction.atomic():
        tally.add_on_commit()

    assert meter.totals() == EMAIL


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, "0.1"), (0.1, "0.1"), (0.1001, "0.5"), (59.9, "60.0"), (3600.0, "3600.0"), (3600.1, "+Inf")],
)
def test_observation_counts_in_the_first_bucket_it_fits_into(seconds, bucket):
    tally = Tally()

    tally.observe(LATENCY, seconds, "email")

    assert tally.counts[("delivery_latency_seconds", "email", bucket)] == 1
    assert tally.counts[("delivery_latency_seconds", "email", "sum")] == round(seconds * 1e6)


def test_bounds_are_in_order():
    for histogram in (LATENCY, HTTP_SECONDS, metrics.CALL_SECONDS):
        assert list(histogram.bounds) == sorted(histogram.bounds)
