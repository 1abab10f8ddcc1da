"""Whoever waits for a text is answered in time: when renderers start, when they are stopped, when all are busy."""

import os
import signal
import threading
import time
from contextlib import ExitStack

import pytest

from dev.waiting import wait_until
from notification_processor import renderer_jobs
from notification_processor.renderer.wire import RENDER
from notification_processor.renderer_jobs import AT_ONCE, TOO_SLOW, Job, answered, at_once
from notification_processor.renderer_pool import Pool
from traffic_control.errors import Problem

LIVE = "{{ a|upper }}"
SPINS = "{% for a in range(1000) %}{{ big|list|sort|unique|list|length }}{% endfor %}"
DATA = {"a": "x", "big": "a" * 20_000}
WELL = [["", "X", ""]]


def ask(text, **how):
    return answered([Job(RENDER, ("", text, ""), DATA)], **how)


def pid_of(place):
    assert place._renderer
    return place._renderer.pid


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(renderer_jobs, "PATIENCE", 0.15)


def test_renderer_that_takes_long_to_start_is_kept_for_the_next_one(pool: Pool, impatient: None) -> None:
    (place,) = pool._free[-1:]
    place.start(after_a_stop=True)
    os.kill(pid_of(place), signal.SIGSTOP)
    began, pid = time.monotonic(), pid_of(place)

    with pytest.raises(Problem) as caught:
        ask(LIVE, effort=at_once())
    assert (caught.value.code, pid_of(place)) == ("renderer_unavailable", pid)
    assert time.monotonic() - began < 0.6

    os.kill(pid, signal.SIGCONT)
    assert (ask(LIVE, effort=AT_ONCE), pid_of(place)) == (WELL, pid)


def test_first_renderer_takes_the_time_that_it_takes(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No template is the reason, so nobody is turned away: a busy machine may take a second for it."""
    monkeypatch.setattr(renderer_jobs, "PATIENCE", 0.15)
    (place,) = pool._free[-1:]
    place.start()
    os.kill(pid_of(place), signal.SIGSTOP)
    going_on = threading.Timer(0.5, os.kill, (pid_of(place), signal.SIGCONT))
    going_on.start()

    assert ask(LIVE, effort=at_once()) == WELL
    going_on.join()


def test_nobody_waits_longer_for_a_place_than_for_an_answer(pool: Pool, impatient: None) -> None:
    with ExitStack() as taken:
        for owner in "ab":
            taken.enter_context(pool.place(owner))
        began = time.monotonic()
        with pytest.raises(Problem):
            ask(LIVE, effort=at_once())
        assert time.monotonic() - began < 0.6


def test_renderer_that_is_stopped_has_a_successor_ready(pool: Pool) -> None:
    assert ask(SPINS, effort=AT_ONCE) == [TOO_SLOW]
    assert wait_until(lambda: all(place.is_ready for place in pool._places), seconds=10)
    ready = {pid_of(place) for place in pool._places}

    assert ask(SPINS, effort=AT_ONCE) == [TOO_SLOW]
    assert ask(LIVE, effort=AT_ONCE) == WELL
    with pool.place("") as place:
        assert pid_of(place) in ready


def test_one_renderer_is_enough_where_none_is_stopped(pool: Pool) -> None:
    assert ask(LIVE, effort=AT_ONCE) == ask(LIVE, effort=AT_ONCE) == WELL

    assert [place._renderer is None for place in pool._places] == [True, False]
