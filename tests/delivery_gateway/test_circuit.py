"""The rules of a circuit, as tables."""

import pytest

from delivery_gateway import circuit, circuit_breaker
from delivery_gateway.circuit import Circuit, State
from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    Misconfigured,
    Receipt,
    RecipientGone,
    Throttled,
    Transient,
)

T0 = 1_800_000_000.0


@pytest.mark.parametrize(
    ("attempts", "failures", "expected"),
    [(0, 0, False), (9, 9, False), (10, 4, False), (10, 5, True), (11, 5, False), (11, 6, True), (1_000, 499, False)],
)
def test_circuit_opens_at_half_of_ten_calls(attempts, failures, expected):
    assert circuit.is_failing(Circuit(attempts, failures)) is expected


@pytest.mark.parametrize(("hangs", "expected"), [(0, False), (2, False), (3, True)])
def test_circuit_opens_at_three_calls_in_a_row_that_hang(hangs, expected):
    assert circuit.is_failing(Circuit(attempts=9, failures=3, hangs=hangs)) is expected


def test_open_circuit_is_not_opened_again_by_those_still_under_way():
    assert not circuit.is_failing(circuit.opened(Circuit(10, 10), T0))


@pytest.mark.parametrize(
    ("trips", "pause"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600), (500, 600)]
)
def test_pause_doubles_up_to_ten_minutes(trips, pause):
    assert circuit.pause_after(trips) == pause


def test_circuit_through_its_life():
    first = circuit.opened(Circuit(10, 7), T0)
    assert (first.state(T0), first.state(T0 + 29), first.state(T0 + 30)) == (State.OPEN, State.OPEN, State.HALF_OPEN)
    assert not first.may_probe(T0 + 29)

    probing = circuit.probing(first, T0 + 30)
    assert (probing.state(T0 + 31), probing.may_probe(T0 + 31)) == (State.HALF_OPEN, False)
    assert probing.may_probe(T0 + 30 + circuit.PROBE_SECONDS)  # whoever had it is gone

    second = circuit.opened(probing, T0 + 31)
    assert (second.opened_at, second.retry_at, second.trips) == (T0, T0 + 91, 2)

    assert circuit.closed(second) == Circuit(turn=second.turn + 1)


@pytest.mark.parametrize(("spread", "wait"), [(0.0, 20.0), (0.5, 35.0), (1.0, 50.0)])
def test_refused_messages_come_back_spread_over_a_pause(spread, wait):
    assert circuit.opened(Circuit(10, 10), T0).wait(T0 + 10, spread=spread) == wait


def test_messages_refused_while_another_probes_look_again_soon():
    probing = circuit.probing(circuit.opened(Circuit(10, 10), T0), T0 + 30)

    assert probing.wait(T0 + 31, spread=0.0) == circuit.LOOK_AGAIN


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Receipt(), False),
        (Transient(), True),
        (Ambiguous(), True),
        (Throttled(), False),
        (RecipientGone(), False),
        (ContentRejected(), False),
        (Misconfigured(), False),
    ],
)
def test_failures_are_those_of_the_provider(answer, expected):
    assert circuit_breaker.is_failure(answer) is expected
