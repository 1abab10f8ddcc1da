"""Circuits, wherever they are kept, and calls on a runway, with the time told by the test."""

import uuid

import pytest

from delivery_gateway import circuit_store
from delivery_gateway.circuit_breaker import Gate
from delivery_gateway.circuit_store import Key
from tests.delivery_gateway.runway_calls import Calls
from traffic_control import redis_client

T0 = 1_800_000_000.0


class Clock:
    def __init__(self):
        self.now = T0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["redis", "no redis", "redis away"])
def _store(request, settings):
    """Every test below holds wherever circuits are kept."""
    if request.param != "redis":
        settings.REDIS_URL = "" if request.param == "no redis" else "redis://127.0.0.1:1/0"
    redis_client.forget_outage()
    circuit_store.HERE.forget()
    yield
    redis_client.forget_outage()
    circuit_store.HERE.forget()


@pytest.fixture
def key(_store):
    return Key(uuid.uuid4(), "email", "smtp")


@pytest.fixture
def gate(clock, key):
    return Gate(clock)


@pytest.fixture
def calls():
    made = Calls()
    yield made
    made.end()
