"""That day as rows: the ledger with all that belongs to it, and the sums that the pipeline would have written."""

import random
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from delivery_gateway.counters import ACCEPTED, key_of
from delivery_gateway.latency import bucket_of
from delivery_gateway.minutes import AFTERWARDS, Key, minute_of, rows_of
from delivery_gateway.models import Attempt, DeadLetter, DeliveryCount, MinuteCount, NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import TERMINAL, Status
from monitoring.demo.day import Message
from notification_processor.models import Event
from tenants.models import Tenant
from user_preferences.models import Customer

WORDS = {
    "order.created": ("Order {n} received", "Thank you. We have your order {n} and are packing it."),
    "order.shipped": ("Order {n} is on its way", "Your order {n} left our warehouse and should arrive in two days."),
    "invoice.due": ("Invoice {n} is due", "Invoice {n} is due in a week."),
    "password.reset": ("Reset your password", "Somebody asked to reset your password. The link is good for an hour."),
    "newsletter": ("New in the shop", "Twelve things that came in this week."),
}
PROVIDERS = {"email": "smtp", "slack": "webhook", "webhook": "standard_webhooks", "telegram": "bot_api", "in_app": ""}


Sum = TypeVar("Sum", DeliveryCount, MinuteCount)


@dataclass
class Day:
    dice: random.Random
    events: list[Event] = field(default_factory=list)
    notifications: list[NotificationLog] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    days: Counter[tuple[object, ...]] = field(default_factory=Counter)
    minutes: dict[int, Counter[Key]] = field(default_factory=dict)

    def add(self, message: Message, tenant: Tenant, person: Customer) -> None:
        row = notification(self.new_id(message.at), message, tenant, person, self.new_id(message.at))
        self.notifications.append(row)
        self.events.append(event(row, message))
        ended = message.at + timedelta(seconds=message.outcome.seconds)
        if message.outcome.attempts and row.status != Status.SUPPRESSED:
            self.attempts += [self._attempt(row, message, n) for n in range(1, message.outcome.attempts + 1)]
        if row.status == Status.FAILED:
            self.letters.append(letter(self.new_id(ended), row, ended))
        self._count(row, message, ended)

    def new_id(self, at: datetime) -> uuid.UUID:
        """A UUIDv7 of that moment, out of the same dice."""
        value = int(at.timestamp() * 1000) << 80 | self.dice.getrandbits(76)
        return uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 7 << 76 | 2 << 62)

    def _attempt(self, row: NotificationLog, message: Message, number: int) -> Attempt:
        outcome, parts = message.outcome, message.outcome.attempts
        failed = row.status == Status.FAILED
        return Attempt(
            id=self.new_id(message.at + timedelta(seconds=outcome.seconds * number / parts)),
            notification_id=row.id,
            number=number,
            outcome=outcome.error_class if failed else "sent",
            code=outcome.code if failed else "",
            detail=outcome.detail if failed else "accepted",
            http_status=outcome.http_status,
            duration_ms=min(9_000, int(outcome.seconds * 700 / parts)),
            started_at=message.at + timedelta(seconds=outcome.seconds * (number - 1) / parts),
        )

    def _count(self, row: NotificationLog, message: Message, ended: datetime) -> None:
        status = Status(row.status)
        self.days[key_of(row, ACCEPTED)] += 1
        self._note(row, message.at, ACCEPTED)
        if status in TERMINAL:
            self.days[key_of(row, status)] += 1
        if status in (Status.SENT, Status.DELIVERED, Status.BOUNCED):
            self._note(row, ended, Status.SENT, str(bucket_of(message.outcome.seconds)))
        if status in (Status.DELIVERED, Status.BOUNCED):
            self._note(row, ended, status, AFTERWARDS)
        if status in (Status.SUPPRESSED, Status.FAILED):
            self._note(row, ended, status, message.outcome.code or message.outcome.reason)

    def _note(self, row: NotificationLog, at: datetime, what: str, detail: str = "") -> None:
        counts = self.minutes.setdefault(minute_of(at), Counter())
        counts[row.tenant_id, row.channel, row.mode, str(what), detail] += 1

    def sums(self) -> tuple[list[DeliveryCount], list[MinuteCount]]:
        days = [named(DeliveryCount, (*key, count)) for key, count in sorted(self.days.items())]
        minutes = [named(MinuteCount, row) for m, counts in sorted(self.minutes.items()) for row in rows_of(counts, m)]
        return days, minutes


def named(model: type[Sum], values: Iterable[object]) -> Sum:
    names = (column.attname for column in model._meta.concrete_fields)
    return model(**dict(zip(names, values, strict=True)))


def notification(
    row_id: uuid.UUID, message: Message, tenant: Tenant, person: Customer, event_id: uuid.UUID
) -> NotificationLog:
    outcome = message.outcome
    subject, body = (text.format(n=message.number) for text in WORDS[message.event_type])
    ended = message.at + timedelta(seconds=outcome.seconds)
    is_sent = outcome.status in (Status.SENT, Status.DELIVERED, Status.BOUNCED)
    return NotificationLog(
        id=row_id, tenant=tenant, event_id=event_id, event_type=message.event_type, user_id=person.user_id,
        customer_id=person.id, channel=message.channel, lane=CHANNELS[message.channel].lane,
        to=person.address_on(message.channel), subject=subject, body=body,
        html=f"<h1>{subject}</h1><p>{body}</p>" if message.channel == "email" else "",
        template_name=message.event_type, template_version=1, category=message.event_type.partition(".")[0],
        status=outcome.status, reason=outcome.reason, detail=outcome.detail, error_class=outcome.error_class,
        error_code=outcome.code, attempts=outcome.attempts, created_at=message.at, routed_at=message.at,
        due_at=message.at + timedelta(days=2) if outcome.status == Status.SCHEDULED else None,
        sent_at=ended if is_sent else None, provider=PROVIDERS[message.channel],
        provider_message_id=f"demo-{message.number}" if is_sent else "",
    )  # fmt: skip


def event(row: NotificationLog, message: Message) -> Event:
    assert row.event_id is not None  # noqa: S101 - it was given
    return Event(
        id=row.event_id, tenant=row.tenant, event_type=row.event_type, recipients=[row.user_id],
        payload={"id": message.number}, state=Event.State.COMPLETED, occurred_at=message.at, due_at=message.at,
        received_at=message.at,
    )  # fmt: skip


def letter(letter_id: uuid.UUID, row: NotificationLog, ended: datetime) -> DeadLetter:
    return DeadLetter(
        id=letter_id, tenant=row.tenant, notification_id=row.id, channel=row.channel, code=row.error_code,
        reason=row.detail, retry_count=max(0, row.attempts - 1), created_at=ended,
    )  # fmt: skip


def people(tenant: Tenant, day: Day, *, count: int, at: datetime) -> Sequence[Customer]:
    names = ("Anna", "Ben", "Chika", "Dov", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jun")
    families = ("Alvarez", "Brandt", "Chen", "Diallo", "Eriksen", "Ferrari")
    slug = tenant.slug
    return [
        Customer(
            id=day.new_id(at), tenant=tenant, user_id=f"{slug}-{n + 1:03}",
            name=f"{names[n % 10]} {families[n // 10 % 6]}", email=f"{names[n % 10].lower()}.{n + 1}@example.com",
            addresses={"slack": "https://hooks.example.com/demo", "telegram": str(70_000 + n),
                       "webhook": "https://example.com/hook"},
            locale="en", timezone="Europe/Berlin",
        )
        for n in range(count)
    ]  # fmt: skip
