"""Tenants side by side, each with a receiver of its own, and how long their messages take to get there."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from delivery_gateway.models import Attempt, NotificationLog
from tenants.services import Registration, register
from tests.flow.load import Door, Message, all_statuses, under_steady_load
from tests.flow.scrape import Scrape, ask
from tests.flow.stack import wait_until
from tests.peers.http_server import Answer, Request
from tests.peers.server import OK
from tests.peers.webhook import WebhookPeer

UNDER_WAY = ("pending", "queued", "sending")


class Receiver(WebhookPeer):
    """Notes how long each message was on its way: a message's body is the moment at which it was posted."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.journeys: list[float] = []  # seconds

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if answer.status == 200:
            self.journeys.append(time.monotonic() - float(request.json["data"]["body"]))
        return answer

    def message(self) -> Message:
        return {"channel": "webhook", "to": self.url, "body": repr(time.monotonic())}


@dataclass(frozen=True)
class Resident:
    """A tenant of the running product, and its receiver."""

    base: str
    known: Registration
    receiver: Receiver

    def door(self) -> Door:
        return Door(self.base, self.known.api_key, self.receiver.message)

    def circuits(self) -> list[dict[str, Any]]:
        status, text = ask(f"{self.base}/v1/circuits/", key=self.known.api_key)
        assert status == 200, text
        found: list[dict[str, Any]] = json.loads(text)["data"]
        return found

    def has_open_circuit(self) -> bool:
        return [one["state"] for one in self.circuits()] == ["open"]

    def seconds_to_open(self, *, at_most: float) -> float:
        """From the end of the first call that failed until the circuit opened."""
        wait_until(self.has_open_circuit, seconds=at_most, what="the opening of the circuit")
        mine = NotificationLog.objects.filter(tenant=self.known.tenant).values("id")
        calls = Attempt.objects.filter(notification_id__in=mine).exclude(outcome="sent")
        first = min(call.started_at + timedelta(milliseconds=call.duration_ms) for call in calls)
        (circuit,) = self.circuits()
        return (datetime.fromisoformat(circuit["opened_at"]) - first).total_seconds()

    def fall_silent(self) -> None:
        """What waits is put off for a day, so that it does not disturb what is measured next."""
        wait_until(self._is_silent, what="silence")

    def _is_silent(self) -> bool:
        mine = NotificationLog.objects.filter(tenant=self.known.tenant)
        mine.filter(status="scheduled").update(due_at=timezone.now() + timedelta(days=1))
        return not mine.filter(status__in=UNDER_WAY).exists()


@contextmanager
def resident(base: str, name: str) -> Iterator[Resident]:
    known = register(name, "ops@example.com")
    with Receiver(known.webhook_secret) as receiver:
        yield Resident(base, known, receiver)


@dataclass(frozen=True)
class Phase:
    """What a while under load has shown. `opened_in` is None where the neighbour's provider was well."""

    journeys: Sequence[float]  # seconds, of everybody's but the neighbour's messages
    opened_in: float | None = None
    circuits_not_closed: float = 0.0


def phase(residents: Sequence[Resident], fault: str, *, rate: float, seconds: float) -> Phase:
    """All send alike, a neighbour who has just moved in among them, whose provider answers with `fault`."""
    base, already = residents[0].base, [len(one.receiver.journeys) for one in residents]
    with resident(base, "Neighbour") as neighbour:
        neighbour.receiver.always(fault)
        doors = under_steady_load([one.door() for one in (*residents, neighbour)], rate=rate, seconds=seconds)
        assert all_statuses(doors) == {202}
        expected = [count + len(door.statuses) for count, door in zip(already, doors, strict=False)]
        wait_until(lambda: [len(one.receiver.journeys) for one in residents] == expected, what="everybody's messages")
        opened_in = neighbour.seconds_to_open(at_most=20.0) if fault != OK else None
        not_closed = Scrape(base)("circuits_not_closed", channel="webhook") or 0.0
    neighbour.fall_silent()
    journeys = [j for one, count in zip(residents, already, strict=True) for j in one.receiver.journeys[count:]]
    return Phase(journeys, opened_in, not_closed)
