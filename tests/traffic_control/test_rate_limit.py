"""Limits decided in a real Redis, with the time told by the test."""

import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.conftest import needs_redis
from traffic_control import rate_limit, redis_client
from traffic_control.rate_limit import Limit, Pace, parse_limit, reserve, reserve_within, spend

T0 = 1_800_000_000.0  # a moment that is a whole number of every window below


@pytest.fixture
def key():
    return f"test:{uuid.uuid4()}"


@pytest.fixture
def no_redis(settings):
    """A Redis that nobody runs."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_client.forget_outage()
    yield
    redis_client.forget_outage()


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", None),
        ("100/m", Limit(100, 60)),
        (" 10 / s ", Limit(10, 1)),
        ("5/10s", Limit(5, 10)),
        ("1/hour", Limit(1, 3600)),
        ("7/day", Limit(7, 86_400)),
    ],
)
def test_parse_limit_reads_a_rate(text, limit):
    assert parse_limit(text) == limit


@pytest.mark.parametrize("text", ["0/s", "10", "ten/s", "10/y", "-1/s", "1/0s", "1.5/s", "10/", "٣/s"])
def test_parse_limit_refuses_what_is_no_rate(text):
    with pytest.raises(ImproperlyConfigured, match="is not a rate"):
        parse_limit(text)


@pytest.mark.parametrize("quota", [1, 2, 3, 9, 10, 11, 30, 100, 1_000, 5_000])
@pytest.mark.parametrize("window", [1, 60])
def test_even_pace_never_puts_more_than_the_quota_into_a_window(quota, window):
    pace = Limit(quota, window).evenly()
    turns = [max(0, index - pace.burst + 1) * pace.interval for index in range(3 * quota)]

    assert min(later - turn for turn, later in zip(turns, turns[quota:], strict=False)) >= window
    assert turns[-1] <= 3.4 * window + pace.interval  # and keeps up nearly the whole rate


@needs_redis
def test_reserve_spreads_turns_by_the_interval(key):
    waits = reserve([(key, Pace(0.25))] * 4, now=T0)

    assert waits == [0.0, 0.25, 0.5, 0.75]
    assert reserve([(key, Pace(0.25))], now=T0 + 0.9) == [0.1]
    assert reserve([(key, Pace(0.25))], now=T0 + 60) == [0.0]


@needs_redis
def test_reserve_lets_a_burst_pass_at_once(key):
    assert reserve([(key, Pace(1.0, burst=3))] * 5, now=T0) == [0.0, 0.0, 0.0, 1.0, 2.0]


@needs_redis
def test_reserve_keeps_keys_apart_and_each_to_its_pace(key):
    turns = [(f"{key}:a", Pace(1.0)), (f"{key}:b", Pace(0.5)), (f"{key}:a", Pace(1.0)), (f"{key}:b", Pace(0.5))]

    assert reserve(turns, now=T0) == [0.0, 0.0, 1.0, 0.5]


@needs_redis
def test_reserve_keys_expire(key, settings):
    reserve([(key, Pace(0.001))])

    left = redis_client.ask(lambda redis: redis.pttl(f"{settings.REDIS_KEY_PREFIX}rate:{key}"))

    assert 0 < left <= 1_001


@needs_redis
def test_reserve_within_never_exceeds_the_quota_of_any_window(key):
    limit = Limit(3, 60)
    arrivals = [0, 1, 2, 3, 4, 30, 61, 61, 62, 200]

    turns = [at + reserve_within([key], limit, now=T0 + at)[0] for at in arrivals]

    assert turns == [0, 1, 2, 60, 61, 62, 120, 121, 122, 200]


@needs_redis
def test_reserve_within_counts_each_mention_of_a_key(key):
    assert reserve_within([key] * 5, Limit(2, 10), now=T0) == [0.0, 0.0, 10.0, 10.0, 20.0]


def spent(key, limit, now):
    allowance = spend(key, limit, now=now)
    assert allowance is not None
    return allowance


@needs_redis
def test_spend_grants_the_quota_then_refuses_until_more_of_it_is_back(key):
    limit = Limit(3, 10)

    granted = [spent(key, limit, T0 + at) for at in (0, 0.5, 4)]
    refused = spent(key, limit, T0 + 5)

    assert [(g.is_granted, g.remaining) for g in granted] == [(True, 2), (True, 1), (True, 0)]
    assert (refused.is_granted, refused.remaining, refused.more_in) == (False, 0, 6.0)
    assert not spent(key, limit, T0 + 10.9).is_granted
    assert spent(key, limit, T0 + 11).remaining == 1


@needs_redis
def test_spend_refused_costs_nothing(key):
    limit = Limit(1, 10)
    for _ in range(5):
        spend(key, limit, now=T0)

    assert spent(key, limit, T0 + 11).is_granted


def test_limits_without_redis_let_everything_pass_and_count_it(no_redis, key, caplog):
    before = rate_limit.fail_open_count()

    assert reserve([(key, Pace(60.0))] * 2) == [0.0, 0.0]
    assert reserve_within([key], Limit(1, 60)) == [0.0]
    assert spend(key, Limit(1, 60)) is None

    assert rate_limit.fail_open_count() - before == 4
    assert [record.message.partition(" (")[0] for record in caplog.records] == ["redis is away"]


def test_limits_of_an_install_without_redis_are_off_and_silent(settings, key, caplog):
    settings.REDIS_URL = ""
    before = rate_limit.fail_open_count()

    assert reserve([(key, Pace(60.0))] * 2) == [0.0, 0.0]

    assert (rate_limit.fail_open_count(), caplog.records) == (before, [])
