"""Stages run apart, one after the other, in this thread and with nothing left to the clock."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from delivery_gateway import delivery, flight
from delivery_gateway.contract import Message, Receipt
from delivery_gateway.tasks import send_message
from notification_processor import tasks
from notification_processor.tasks import process_event, route_notification
from tenants.key_cache import KEYS
from tenants.services import Registration
from tests.budget.counting import Cost, Counter, counted
from tests.conftest import client_with
from traffic_control import wakeup

A_MINUTE = 60.0
STAGES = ("intake", "routing", "delivery")
STATEMENT_SHOWN = 160


# On a slow machine a task would hand over, give back or record in smaller bites: the figures would be the clock's.
CLOCKS = (
    (tasks, "TASK_SECONDS"),
    (delivery, "TASK_SECONDS"),
    (delivery, "START_WINDOW"),
    (delivery, "PATIENCE"),
    (flight, "FLUSH_SECONDS"),
    (flight, "RECORD_EVERY"),
)


@dataclass(frozen=True)
class Spent:
    """What one request cost on its way: at the door, in generator and router, and in the delivery tasks."""

    intake: Cost
    routing: Cost
    delivery: Cost
    statements: str = field(default="", compare=False, repr=False)

    def __repr__(self) -> str:
        return f"Spent({self.intake}, {self.routing}, {self.delivery})"


@dataclass
class Provider:
    """Takes everything at once."""

    taken: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        self.taken.append(message)
        return Receipt(provider_id=f"taken-{message.id}")

    def close(self) -> None:
        """Holds nothing."""


@dataclass(frozen=True)
class Pipeline:
    """A tenant's client, and the stages behind the door as the workers run them."""

    api: APIClient
    provider: Provider

    def send(self, path: str, body: Any, *, lanes: tuple[str, ...], **headers: str) -> Spent:
        """Posts it and runs each stage once."""
        with counted() as intake:
            answer = self.api.post(path, body, headers=headers)
        assert answer.status_code == 202, answer.json()
        with counted() as routing:
            if path.startswith("/api/events/"):
                process_event()
            route_notification()
        with counted() as delivering:
            for lane in lanes:
                send_message(lane)
        return Spent(intake.cost, routing.cost, delivering.cost, told(intake, routing, delivering))


def told(*counters: Counter) -> str:
    """What each stage said to PostgreSQL, for whoever must find out where a figure comes from."""
    stages = ([statement.strip()[:STATEMENT_SHOWN] for statement in one.statements] for one in counters)
    return "\n".join(f"-- {name}\n" + "\n".join(lines) for name, lines in zip(STAGES, stages, strict=True))


@pytest.fixture
def pipeline(acme: Registration, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    if connection.vendor != "postgresql":
        pytest.skip("the budget is PostgreSQL's")
    provider = Provider()
    monkeypatch.setattr(wakeup._bell, "ask", lambda stage: None)
    monkeypatch.setattr(wakeup, "_send", lambda stage: None)
    monkeypatch.setattr(delivery, "get_provider", lambda channel, integration=None: provider)
    for module, moment in CLOCKS:
        monkeypatch.setattr(module, moment, A_MINUTE)
    monkeypatch.setattr(KEYS, "seconds", A_MINUTE)
    return Pipeline(client_with(acme.api_key), provider)
