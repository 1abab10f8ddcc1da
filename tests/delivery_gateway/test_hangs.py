"""A provider that takes calls and does not answer them: what its circuit makes of when they began."""

from delivery_gateway import circuit
from delivery_gateway.circuit_breaker import GO, PROBE, Gate, Result
from delivery_gateway.contract import Receipt, Transient

T0 = 1_800_000_000.0  # when the clock of these tests stands still


def hang(gate, key, *began, took=circuit.HANG):
    gate.report([Result(key, Transient(), False, T0 + one, took) for one in began], is_last=True)


def answer(gate, key, began, took=0.1):
    gate.report([Result(key, Receipt(), False, T0 + began, took)], is_last=True)


def is_open(clock, key):
    return Gate(clock).admit([key]) != [GO]


def test_gate_refuses_once_three_in_a_row_have_hung(gate, key, clock):
    hang(gate, key, 0.0)
    hang(Gate(clock), key, 0.5)
    assert Gate(clock).admit([key]) == [GO]

    hang(gate, key, 600.0)  # however long that takes: nobody has answered meanwhile

    assert Gate(clock).admit([key])[0].wait == 30.0
    assert gate.refusal(key) is not None


def test_gate_refuses_although_there_were_answers_before(gate, key, clock):
    for began in range(20):
        answer(gate, key, began)

    hang(gate, key, 20.0, 20.5, 21.0)

    assert is_open(clock, key)


def test_gate_does_not_take_quick_failures_for_hangs(gate, key, clock):
    hang(gate, key, 0.0, 0.5, 1.0, 1.5, took=circuit.HANG - 0.1)

    assert not is_open(clock, key)


def test_gate_does_not_count_hangs_that_began_before_an_answer_came(gate, key, clock):
    for began in range(20):
        answer(gate, key, began / 20)
    answer(gate, key, 1.0)
    hang(gate, key, 0.0, 0.5, 1.0)  # whoever reports first
    hang(gate, key, 2.0, 2.5)
    answer(gate, key, 3.0)
    hang(gate, key, 3.0, 4.0, 4.5)

    assert not is_open(clock, key)
    hang(gate, key, 5.0)
    assert is_open(clock, key)


def test_gate_lets_pass_while_every_tenth_call_hangs(gate, key, clock):
    for round_ in range(30):
        hang(gate, key, 10.0 * round_)
        for number in range(1, 10):
            answer(gate, key, 10.0 * round_ + number)

    assert not is_open(clock, key)


def test_gate_forgets_what_hung_before_a_probe_was_answered(gate, key, clock):
    hang(gate, key, 0.0, 0.5, 1.0)
    clock.now += 30
    assert gate.admit([key]) == [PROBE]
    gate.report([Result(key, Receipt(), is_probe=True)], is_last=True)

    hang(gate, key, 40.0, 41.0)

    assert not is_open(clock, key)
