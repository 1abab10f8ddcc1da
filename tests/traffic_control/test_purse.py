"""Quota taken several turns at a time, by several processes, from a real Redis."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import needs_redis
from traffic_control import purse, redis_client
from traffic_control.purse import HOLD, Purse
from traffic_control.rate_limit import Allowance, Limit, spend

pytestmark = needs_redis


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def key() -> str:
    return f"test:{uuid.uuid4()}"


@pytest.fixture
def questions(monkeypatch) -> list[int]:
    """How many turns each question to Redis was for."""
    asked: list[int] = []

    def counted(key: str, limit: Limit, *, turns: int, **rest: int) -> Allowance | None:
        asked.append(turns)
        return spend(key, limit, turns=turns, **rest)

    monkeypatch.setattr(purse, "spend", counted)
    return asked


def granted(spend: Callable[[], Allowance | None], times: int) -> int:
    return sum(1 for _ in range(times) if (answer := spend()) and answer.is_granted)


def test_purses_of_many_processes_grant_the_quota_to_the_last_turn_and_no_more(key):
    purses, limit = [Purse() for _ in range(4)], Limit(1_000, 3_600)

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda n: granted(lambda: purses[n % 4].spend(key, limit), 300), range(8)))

    assert sum(counts) == 1_000


def test_purse_asks_seldom_for_a_caller_who_asks_often(key, questions):
    clock = Clock()
    mine, limit = Purse(clock), Limit(100_000, 3_600)

    for _ in range(4_000):
        clock.now += HOLD / 1_000
        mine.spend(key, limit)

    assert len(questions) < 30
    assert max(questions) <= 2 * 1_000


def test_purse_tells_what_is_left_as_if_it_had_asked_each_time(key):
    mine, limit = Purse(), Limit(10_000, 3_600)

    told = [answer.remaining for _ in range(50) if (answer := mine.spend(key, limit))]

    assert told == list(range(9_999, 9_949, -1))


def test_purse_gives_back_what_was_held_too_long(key):
    clock = Clock()
    mine, limit = Purse(clock), Limit(10_000, 3_600)
    for _ in range(200):
        mine.spend(key, limit)

    clock.now += HOLD + 1
    mine.spend(key, limit)

    answer = Purse().spend(key, limit)
    assert answer is not None
    held = mine._held[key].left
    assert answer.remaining == 10_000 - 200 - 1 - held - 1
    assert held < 100


def test_purse_of_a_small_quota_asks_each_time(key, questions):
    mine = Purse()

    assert granted(lambda: mine.spend(key, Limit(50, 3_600)), 60) == 50
    assert set(questions) == {1}


def test_purse_without_redis_holds_nobody_up(key, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_client.forget_outage()

    assert Purse().spend(key, Limit(5, 60)) is None

    redis_client.forget_outage()
