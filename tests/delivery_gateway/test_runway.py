"""Threads for sending, with calls that end when the test says so."""

import threading
import time
from functools import partial

import pytest

from delivery_gateway import runway
from delivery_gateway.metronome import Metronome
from delivery_gateway.runway import Runway
from tests.flow.stack import wait_until

SIZE = 4  # of one owner; six of all


class Calls:
    """Calls that are noted when they begin and end when they are let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gates: dict[str, threading.Event] = {}

    def of(self, name):
        self.gates[name] = threading.Event()

        def call():
            self.begun.append(name)
            self.gates[name].wait(20)

        return call

    def end(self, *names):
        for name in names or list(self.gates):
            self.gates[name].set()

    def wait_for(self, count):
        wait_until(lambda: len(self.begun) >= count, seconds=5, what=f"call {count}")
        return self.begun


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def calls():
    made = Calls()
    yield made
    made.end()


@pytest.fixture
def way(clock):
    return Runway(SIZE, clock)


def submit(way, calls, owner, count):
    for number in range(count):
        way.submit(owner, calls.of(f"{owner}{number}"))


def test_owner_has_so_many_calls_at_a_time_and_leaves_room_for_others(way, calls):
    submit(way, calls, "a", 6)
    submit(way, calls, "b", 3)

    assert sorted(calls.wait_for(6)) == ["a0", "a1", "a2", "a3", "b0", "b1"]
    assert way.crowd() == 9
    calls.end("a0")
    assert len(calls.wait_for(7)) == 7


def test_owners_take_turns(calls, clock):
    way = Runway(1, clock)  # three of all
    submit(way, calls, "a", 3)
    submit(way, calls, "b", 3)
    submit(way, calls, "c", 1)
    calls.wait_for(3)

    calls.end()

    wait_until(lambda: way.crowd() == 0, seconds=5, what="the end")
    assert sorted(calls.begun[:3]) == ["a0", "b0", "c0"]


def test_calls_that_have_become_slow_make_way(way, calls, clock):
    submit(way, calls, "a", 7)
    calls.wait_for(SIZE)

    clock.now += runway.SLOW
    way.make_way()

    assert sorted(calls.wait_for(7)) == [f"a{number}" for number in range(7)]
    assert (way.slow_calls("a"), way.slow_calls("b"), way.crowd()) == (4, 0, 3)
    calls.end()
    wait_until(lambda: way.slow_calls("a") == 0 and way.crowd() == 0, seconds=5, what="the end")


def test_only_so_many_slow_calls_make_way(way, calls, clock, monkeypatch):
    monkeypatch.setattr(runway, "MOST_SLOW", 2)
    submit(way, calls, "a", 7)
    calls.wait_for(SIZE)

    clock.now += runway.SLOW
    way.make_way()
    way.make_way()

    calls.wait_for(6)
    assert (way.slow_calls("a"), way.crowd()) == (2, 5)


def test_call_that_raises_harms_nobody(way, calls, caplog):
    way.submit("a", lambda: 1 / 0)
    submit(way, calls, "a", 1)

    assert calls.wait_for(1) == ["a0"]
    wait_until(lambda: "ZeroDivisionError" in caplog.text, seconds=5, what="the log line")


def test_metronome_starts_things_at_their_moment_and_in_their_order():
    metronome, began = Metronome(), time.monotonic()
    started: list[tuple[str, float]] = []

    def note(name: str) -> None:
        started.append((name, time.monotonic() - began))

    for name, delay in (("late", 0.2), ("early", 0.05), ("past", -1.0)):
        metronome.at(began + delay, partial(note, name))

    wait_until(lambda: len(started) == 3, seconds=5, what="the last one")
    assert [name for name, _ in started] == ["past", "early", "late"]
    assert all(moment >= planned for (_, moment), planned in zip(started, (0, 0.05, 0.2), strict=True))
