"""`manage.py seed_demo`: a made-up day of traffic, to look at the console with."""

import random
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from delivery_gateway.models import Attempt, DeadLetter, DeliveryCount, MinuteCount, NotificationLog, SandboxMessage
from monitoring.demo.day import PEOPLE, SHOPS, messages
from monitoring.demo.rows import WORDS, Day, people
from notification_processor import templates
from notification_processor.models import Event, Workflow
from tenants.models import Tenant
from tenants.services import register
from user_preferences.models import Customer

CHUNK = 500


class Command(BaseCommand):
    help = (
        "Two shops with customers, templates and a day of messages that end now. Nothing is sent: what they would "
        "have sent is written down as done. The same seed makes the same day."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--seed", type=int, default=7)

    @transaction.atomic
    def handle(self, *args: Any, seed: int, **options: Any) -> None:
        if Tenant.objects.filter(name__in=SHOPS).exists():
            raise CommandError("The demo's shops are here already. Seed an empty database.")
        now = timezone.now()
        day = Day(random.Random(seed))  # noqa: S311 - a story, not a secret
        tenants = {name: register(name, "ops@example.com").tenant for name in SHOPS}
        persons = {name: people(tenant, day, count=PEOPLE, at=now) for name, tenant in tenants.items()}
        Customer.objects.bulk_create([one for found in persons.values() for one in found], batch_size=CHUNK)
        for tenant in tenants.values():
            words_of(tenant)
        for message in messages(now, seed=seed):
            day.add(message, tenants[message.shop], persons[message.shop][message.person])
        store(day)
        self.stdout.write(f"{len(day.notifications)} messages of {len(tenants)} tenants, {len(day.letters)} failed.")


def words_of(tenant: Tenant) -> None:
    for name, (subject, body) in WORDS.items():
        parts = {part: text.format(n="{{ id }}") for part, text in (("subject", subject), ("body", body))}
        templates.create(tenant, name=name, channel="email", locale="en", parts=parts | {"html": ""})
        Workflow.objects.create(
            tenant=tenant, event_type=name, channels=["email", "in_app"], template=name, category=name.partition(".")[0]
        )


def store(day: Day) -> None:
    days, minutes = day.sums()
    Event.objects.bulk_create(day.events, batch_size=CHUNK)
    NotificationLog.objects.bulk_create(day.notifications, batch_size=CHUNK)
    Attempt.objects.bulk_create(day.attempts, batch_size=CHUNK)
    DeadLetter.objects.bulk_create(day.letters, batch_size=CHUNK)
    DeliveryCount.objects.bulk_create(days, batch_size=CHUNK)
    MinuteCount.objects.bulk_create(minutes, batch_size=CHUNK)
    SandboxMessage.objects.bulk_create([captured(row) for row in day.notifications[-12:]])


def captured(row: NotificationLog) -> SandboxMessage:
    """As if the newest had also been tried with a test key."""
    return SandboxMessage(
        id=row.id, tenant=row.tenant, channel=row.channel, to=row.to, subject=row.subject, body=row.body,
        html=row.html, event_id=row.event_id, event_type=row.event_type, user_id=row.user_id, created_at=row.created_at,
    )  # fmt: skip
