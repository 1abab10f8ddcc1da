"""How many calls a runway lets those have out that answer, that are slow, and that are silent."""

import pytest

from delivery_gateway import runway, standing
from delivery_gateway.runway import Runway
from tests.delivery_gateway.runway_calls import answer_slowly, prove, submit
from tests.flow.stack import wait_until


@pytest.fixture
def way(clock):
    """With as many lanes as anybody here needs."""
    made = Runway(100, clock)
    made.lanes = 50
    return made


def test_owner_that_never_answered_has_two_calls_out_and_one_more_with_each_answer(way, calls, clock):
    submit(way, calls, "a", 10)
    assert calls.wait_for(2) == ["a0", "a1"]
    assert way.waiting + way.parked == 8

    calls.end("a0")
    calls.wait_for(4)
    calls.end("a1")

    assert len(calls.wait_for(6)) == 6
    assert way.waiting + way.parked == 4


def test_owner_that_has_been_quiet_for_long_begins_anew_with_two_calls(way, calls, clock):
    prove(way, "a", times=20)

    clock.now += standing.FRESH + 1
    submit(way, calls, "a", 10)

    assert (len(calls.wait_for(2)), way.parked) == (2, 8)


def test_owner_that_falls_silent_has_no_more_than_two_calls_out(way, calls, clock):
    prove(way, "a", times=20)
    clock.now += 1
    submit(way, calls, "a", 5)
    calls.wait_for(5)
    clock.now += standing.SLOW
    way.make_way()

    calls.time_out("a0", "a1", "a2", "a3")
    wait_until(lambda: len(way._running) == 1, seconds=5, what="the end of four")
    for name in ("late0", "late1", "late2"):
        way.submit("a", calls.of(name))

    assert calls.wait_for(6)[5] == "late0"
    assert (way.waiting, way.parked) == (0, 2)


def test_owner_that_answers_beside_calls_that_hang_keeps_its_room(way, calls, clock):
    prove(way, "a", times=20)
    submit(way, calls, "a", 5)
    calls.wait_for(5)
    clock.now += standing.SLOW
    calls.end("a0")
    wait_until(lambda: len(way._running) == 4, seconds=5, what="the answer")
    way.make_way()

    calls.time_out("a1")
    wait_until(lambda: len(way._running) == 3, seconds=5, what="the end of one that hung")
    for name in ("late0", "late1", "late2"):
        way.submit("a", calls.of(name))

    assert len(calls.wait_for(8)) == 8


def test_owner_that_answers_after_two_seconds_gets_200_calls_out_at_once(calls, clock):
    way = Runway(200, clock)
    way.lanes = 200
    out = []
    for round_ in range(9):
        for number in range(400):
            way.submit("a", calls.of(f"{round_}.{number}"))
        out.append(answer_slowly(way, calls, clock, 2.0))

    assert out == [2, 4, 8, 16, 32, 64, 128, 200, 200]


def test_owner_that_answers_slowly_keeps_as_many_calls_waiting_as_the_answers_make_room_for(way, calls, clock):
    submit(way, calls, "a", 2)
    answer_slowly(way, calls, clock, 2.0)
    for number in range(20):
        way.submit("a", calls.of(f"b{number}"))

    clock.now += standing.SLOW
    way.make_way()

    assert (len(way._running), way.parked, len(calls.turned_away)) == (4, 8, 8)


@pytest.mark.parametrize(("silence", "expected"), [(3.9, 4), (4.0, 2)])
def test_owner_that_answers_slowly_is_silent_after_twice_as_long(way, calls, clock, silence, expected):
    submit(way, calls, "a", 2)
    answer_slowly(way, calls, clock, 2.0)
    way.submit("a", calls.of("hangs"))
    calls.wait_for(3)
    clock.now += silence
    way.make_way()
    calls.time_out("hangs")
    wait_until(lambda: not way._running, seconds=5, what="the end of the one that hung")

    for number in range(10):
        way.submit("a", calls.of(f"late{number}"))

    assert len(way._running) == expected


def test_owner_of_which_one_answer_was_quick_is_given_time_still(way, calls, clock):
    submit(way, calls, "a", 2)
    answer_slowly(way, calls, clock, 3.0)
    prove(way, "a", times=1)
    way.submit("a", calls.of("slow"))
    calls.wait_for(3)

    clock.now += 2.0
    way.make_way()

    assert way._owners["a"].room == 5


def test_any_number_of_newcomers_that_hang_leaves_half_of_all_places_to_others(calls, clock):
    way = Runway(8, clock)
    prove(way, "innocent")
    for number in range(20):
        submit(way, calls, f"dead{number}.", 5)
    for _ in range(3):
        clock.now += standing.SLOW
        way.make_way()
    submit(way, calls, "innocent", 3)

    wait_until(lambda: len(way._running) == 11, seconds=5, what="the innocent's calls")
    assert len(calls.turned_away) == 100 - 8
    assert {"innocent0", "innocent1", "innocent2"} < set(calls.begun)


def test_newcomers_wait_for_lanes_of_their_own_only(calls, clock):
    way = Runway(100, clock)
    prove(way, "known")
    for number in range(20):
        submit(way, calls, f"new{number}.", 1)
    calls.wait_for(runway.NEWCOMERS)

    submit(way, calls, "known", 1)

    assert calls.wait_for(runway.NEWCOMERS + 1)[-1] == "known0"
    clock.now += standing.GLANCE
    way.make_way()
    assert len(calls.wait_for(2 * runway.NEWCOMERS + 1)) == 2 * runway.NEWCOMERS + 1
