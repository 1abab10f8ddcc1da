"""Threads for sending, with calls that end when the test says so."""

import time
from functools import partial

import pytest

from delivery_gateway import runway, standing
from delivery_gateway.metronome import Metronome
from delivery_gateway.runway import Runway
from tests.delivery_gateway.runway_calls import prove, submit
from tests.flow.stack import wait_until

SIZE = 4  # of one owner; six of all


@pytest.fixture
def way(clock):
    return Runway(SIZE, clock)


def test_owner_has_so_many_calls_at_a_time_and_leaves_room_for_others(way, calls):
    prove(way, "a", "b")
    submit(way, calls, "a", 6)
    submit(way, calls, "b", 3)

    assert sorted(calls.wait_for(6)) == ["a0", "a1", "a2", "a3", "b0", "b1"]
    assert way.waiting + way.parked == 3
    calls.end("a0")
    assert len(calls.wait_for(7)) == 7


def test_owners_take_turns(calls, clock):
    way = Runway(1, clock)  # two of all
    prove(way, *"abc")
    submit(way, calls, "a", 3)
    submit(way, calls, "b", 3)
    submit(way, calls, "c", 1)
    calls.wait_for(2)

    calls.end("a0", "b0", "a1", "b1")

    begun = calls.wait_for(5)
    assert sorted(begun[:2]) == ["a0", "b0"]
    assert "c0" in begun[2:5]


def test_calls_that_have_become_slow_make_way_for_other_owners(way, calls, clock):
    prove(way, *"abc")
    submit(way, calls, "a", 4)
    submit(way, calls, "b", 2)
    submit(way, calls, "c", 1)
    calls.wait_for(6)  # no lane is left

    clock.now += standing.SLOW
    way.make_way()

    assert calls.wait_for(7)[6] == "c0"
    assert way.waiting == 0


def test_owner_with_a_full_house_of_slow_calls_is_turned_away(way, calls, clock):
    prove(way, "a")
    submit(way, calls, "a", 7)
    calls.wait_for(SIZE)

    clock.now += standing.SLOW
    way.make_way()

    assert list(calls.turned_away) == ["a4", "a5", "a6"]
    assert way.waiting == 0


def test_each_further_owner_that_hangs_gets_half_of_what_is_left(calls, clock):
    way = Runway(8, clock)
    way.lanes = 50
    prove(way, *"abcd", times=8)
    for owner in "abcd":
        submit(way, calls, owner, 20)
        clock.now += standing.SLOW
        way.make_way()
    submit(way, calls, "innocent", 1)

    out = [name for name in calls.wait_for(81) if name not in calls.turned_away]
    assert [sum(name.startswith(owner) for name in out) for owner in "abcd"] == [8, 4, 2, 1]
    assert "innocent0" in out


def test_lanes_come_while_calls_wait_and_go_when_threads_wait_for_the_processor(calls, clock):
    way = Runway(100, clock)
    prove(way, "a", times=60)
    submit(way, calls, "a", 60)
    calls.wait_for(runway.START)

    for _ in range(3):
        way.adapt(0.0)
    assert len(calls.wait_for(13)) == way.lanes == 13
    for _ in range(9):
        way.adapt(runway.LATE * 2)

    assert way.lanes == runway.START


def test_lanes_stay_few_while_nothing_waits(calls, clock):
    way = Runway(100, clock)
    submit(way, calls, "a", 3)

    way.adapt(0.0)

    assert way.lanes == runway.START


def test_calls_that_wait_bring_the_looks_by_themselves(calls):
    way = Runway(100, at=Metronome().at)
    prove(way, "a", times=60)

    submit(way, calls, "a", 60)

    assert len(calls.wait_for(60)) == 60


def test_call_that_raises_harms_nobody(way, calls, caplog):
    way.submit("a", lambda _: 1 / 0)
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


def test_closed_runway_begins_nothing_and_turns_away_what_waits_and_what_comes(way, calls):
    prove(way, "a")
    submit(way, calls, "a", 6)
    calls.wait_for(SIZE)

    way.close()
    calls.end("a0")
    submit(way, calls, "b", 1)
    way.make_way()

    assert list(calls.turned_away) == ["a4", "a5", "b0"]
    assert len(calls.begun) == SIZE + 3


def test_owners_that_have_nothing_out_are_forgotten_when_there_are_too_many(way, calls, clock, monkeypatch):
    monkeypatch.setattr(runway, "KNOWN", 10)
    submit(way, calls, "busy", 1)
    calls.wait_for(1)
    prove(way, *range(30), times=1)

    assert len(way._owners) <= 10
    assert "busy" in way._owners
