"""The gate that workers pass, wherever circuits are kept, with the time told by the test."""

import uuid

import pytest

from delivery_gateway import circuit, circuit_breaker, circuit_store
from delivery_gateway.circuit import State
from delivery_gateway.circuit_breaker import GO, PROBE, Gate, Result
from delivery_gateway.circuit_store import Key, Tally
from delivery_gateway.contract import ContentRejected, Receipt, Throttled, Transient
from tests.conftest import needs_redis
from traffic_control import redis_client

T0 = 1_800_000_000.0


def send(gate, key, *answers):
    """Messages through the gate, all at once: what became of those that were let through is reported."""
    entries = gate.admit([key] * len(answers))
    passed = [(entry, answer) for entry, answer in zip(entries, answers, strict=True) if entry.wait is None]
    gate.report([Result(key, answer, entry.is_probe) for entry, answer in passed], is_last=True)
    return entries


def fail(gate, key, times=10):
    return send(gate, key, *[Transient()] * times)


def test_gate_lets_everything_pass_while_all_is_well(gate, key):
    assert send(gate, key, *[Receipt()] * 3) == [GO, GO, GO]
    assert send(gate, key, Receipt()) == [GO]


def test_gate_refuses_once_half_of_ten_have_failed(gate, key):
    send(gate, key, *[Receipt(), Transient()] * 5)

    waits = [entry.wait for entry in gate.admit([key] * 3)]

    assert waits[0] == 30.0  # this one shall probe
    assert all(30 <= wait <= 60 for wait in waits[1:])
    assert gate.refusal(key) is not None


def test_gate_of_another_worker_sees_the_same(gate, key, clock):
    fail(gate, key, 6)
    other = Gate(clock)
    fail(other, key, 4)

    assert other.admit([key])[0].wait == 30.0
    assert gate.admit([key])[0].wait == 30.0


def test_gate_counts_only_the_last_minute(gate, key, clock):
    fail(gate, key, 6)
    clock.now += 65
    fail(gate, key, 6)

    assert gate.admit([key]) == [GO]


def test_gate_does_not_count_throttled_calls(gate, key):
    send(gate, key, *[Throttled()] * 6, *[Transient()] * 6)

    assert gate.admit([key]) == [GO]


def test_gate_keeps_tenants_channels_and_providers_apart(gate, key):
    fail(gate, key)
    others = [Key(uuid.uuid4(), *key[1:]), key._replace(channel="webhook"), key._replace(provider="other")]

    assert gate.admit(others) == [GO] * 3


def test_gate_tells_a_message_already_let_through_that_its_circuit_has_opened(gate, key):
    gate.admit([key] * 30)
    assert gate.refusal(key) is None

    gate.report([Result(key, Transient(), is_probe=False)] * 10, is_last=False)

    assert gate.refusal(key) is not None


def test_gate_lets_one_message_probe_after_the_pause(gate, key, clock):
    fail(gate, key)
    clock.now += 30

    entries = gate.admit([key] * 3)
    others = Gate(clock).admit([key] * 2)

    assert entries[0] == PROBE
    assert all(entry.wait and entry.wait >= circuit.LOOK_AGAIN for entry in entries[1:] + others)


@pytest.mark.parametrize("answer", [Receipt(), ContentRejected(), Throttled()])
def test_probe_that_is_answered_closes_the_circuit(gate, key, clock, answer):
    fail(gate, key)
    clock.now += 30
    assert send(gate, key, answer) == [PROBE]

    assert gate.admit([key] * 2) == [GO, GO]
    fail(gate, key, 9)  # what was before is forgotten
    assert gate.admit([key]) == [GO]


def test_probes_that_fail_double_the_pause(gate, key, clock):
    fail(gate, key)
    for pause in (30, 60, 120, 240, 480, 600, 600):
        clock.now += pause - 1
        assert gate.admit([key])[0].wait is not None
        clock.now += 1
        assert fail(gate, key, 1) == [PROBE]


def test_probe_that_never_comes_back_makes_room_for_another(gate, key, clock):
    fail(gate, key)
    clock.now += 30
    assert gate.admit([key]) == [PROBE]
    clock.now += circuit.PROBE_SECONDS

    assert Gate(clock).admit([key]) == [PROBE]


def test_of_two_workers_one_makes_the_transition(key, clock):
    first, second = Gate(clock), Gate(clock)
    first.admit([key])
    second.admit([key])
    fail(first, key)
    second.report([Result(key, Transient(), is_probe=False)] * 10, is_last=True)

    assert first.admit([key])[0].wait == 30.0  # not doubled


def test_states_show_what_is_not_closed_or_in_use(gate, key, monkeypatch, clock):
    monkeypatch.setattr("time.time", clock)
    send(gate, key._replace(channel="slack", provider="webhook"), Receipt())
    fail(gate, key)

    shown = {one.channel: one for one in circuit_breaker.states(key.tenant_id)}

    assert set(shown) == {"email", "slack"}
    assert (shown["slack"].state, shown["slack"].failure_ratio, shown["slack"].retry_at) == (State.CLOSED, 0.0, None)
    email = shown["email"]
    assert (email.provider, email.state, email.failure_ratio, email.failures) == ("smtp", State.OPEN, 1.0, 10)
    assert email.opened_at is not None
    assert email.retry_at is not None
    assert (email.retry_at - email.opened_at).total_seconds() == 30
    assert [one.tenant_id for one in circuit_breaker.open_circuits() if one.tenant_id == key.tenant_id] == [
        key.tenant_id
    ]
    assert circuit_breaker.states(uuid.uuid4()) == []


@needs_redis
def test_outage_of_redis_does_not_close_what_is_known_to_be_open(settings, clock):
    circuit_store.HERE.forget()
    key = Key(uuid.uuid4(), "email", "smtp")
    fail(Gate(clock), key)
    Gate(clock).admit([key])  # the worker's last look

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_client.forget_outage()

    assert Gate(clock).admit([key])[0].wait == 30.0
    redis_client.forget_outage()


@needs_redis
def test_counts_older_than_the_window_are_dropped_from_redis(settings):
    key = Key(uuid.uuid4(), "email", "smtp")
    for minute in range(10):
        circuit_store.count({key: Tally(1, 1)}, T0 + 60 * minute)

    name = f"{settings.REDIS_KEY_PREFIX}circuit:{key.tenant_id}:email:smtp"
    assert redis_client.ask(lambda redis: redis.hlen(name)) <= 6
    assert 0 < redis_client.ask(lambda redis: redis.ttl(name)) <= circuit_store.KEPT_SECONDS


def test_healthy_batch_costs_two_round_trips(monkeypatch, clock):
    asked = []

    def counting(question):
        asked.append(question)
        return redis_client.ask(question)

    monkeypatch.setattr(circuit_store, "ask", counting)
    gate, keys = Gate(clock), [Key(uuid.uuid4(), "email", "smtp") for _ in range(100)]

    gate.admit(keys)
    for start in range(0, 100, 25):
        done = [Result(key, Receipt(), is_probe=False) for key in keys[start : start + 25]]
        gate.report(done, is_last=start == 75)

    assert len(asked) == 2
