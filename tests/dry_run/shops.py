"""Shops of every kind, drawn by Hypothesis, and what is asked of one: events and sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from hypothesis import strategies as st

from delivery_gateway import suppressions
from delivery_gateway.registry import CHANNELS
from notification_processor.models import Workflow
from notification_processor.templates import create
from tenants.models import Tenant
from user_preferences.customers import RecipientInput, upsert
from user_preferences.models import Customer, Preference
from user_preferences.quiet_hours import DAYS, zone_of

EVENTS, NOTIFY = "/api/events/", "/v1/notify/"
ANN = {"email": "ann@example.com", "slack": "https://hooks.example.com/ann", "telegram": "12345"}
BOB = {"email": "bob@example.com", "slack": "https://hooks.example.com/bob", "telegram": "67890"}
PEOPLE = {"ann": ANN, "bob": BOB}
GOOD, BROKEN = "Order {{ id }} for {{ customer.name }}", "Order {{ id }} at {{ nowhere.street }}"


@dataclass(frozen=True)
class Hours:
    """Quiet hours by whole hours before or after now: no example lasts until one of them begins or ends."""

    spans: list[tuple[int, int]]  # when it begins, and how long it lasts
    zone: str
    channels: list[str]
    is_on: bool

    def as_stored(self, zone: str) -> dict[str, Any]:
        here = datetime.now(UTC).astimezone(zone_of(self.zone or zone))
        days: dict[str, list[list[str]]] = {}
        for begins, lasts in self.spans:
            start = here + timedelta(hours=begins)
            end = start + timedelta(hours=lasts)
            days.setdefault(DAYS[start.weekday()], []).append([f"{start:%H:%M}", f"{end:%H:%M}"])
        return {"enabled": self.is_on, "timezone": self.zone, "days": days, "channels": self.channels}


@dataclass(frozen=True)
class Person:
    """Where a customer is reached, and what they chose."""

    addresses: list[str]
    choices: dict[tuple[str, str], bool]
    zone: str
    hours: Hours | None

    def move_in(self, tenant: Tenant, user_id: str) -> None:
        given = {channel: address for channel, address in PEOPLE[user_id].items() if channel in self.addresses}
        email = given.pop("email", "")
        about = RecipientInput(user_id, name=user_id.title(), email=email, addresses=given, timezone=self.zone)
        customer = upsert(tenant, [about])[user_id]
        choices = [
            Preference(tenant=tenant, customer=customer, category=category, channel=channel, is_enabled=is_on)
            for (category, channel), is_on in self.choices.items()
        ]
        Preference.objects.bulk_create(choices)
        if self.hours:
            stored = self.hours.as_stored(self.zone or tenant.timezone)
            Customer.objects.filter(pk=customer.pk).update(quiet_hours=stored)


@dataclass(frozen=True)
class Shop:
    """What a tenant has set up, and who its customers are."""

    people: dict[str, Person]
    zone: str
    defaults: dict[str, bool]
    suppressed: dict[str, str]
    templates: dict[str, str]
    workflow: dict[str, Any] | None

    def open(self, tenant: Tenant) -> None:
        tenant.channel_defaults, tenant.timezone = self.defaults, self.zone
        tenant.save()
        Workflow.objects.filter(tenant=tenant).delete()
        for user_id, person in self.people.items():
            person.move_in(tenant, user_id)
        for channel, scope in self.suppressed.items():
            digest = suppressions.address_hash(tenant.id, ANN.get(channel, "ann"))
            suppressions.add(tenant.id, channel, digest, scope=scope, reason="hard_bounce")
        for channel, words in self.templates.items():
            parts = {"subject": "Yours", "body": words, "html": ""}
            create(tenant, name="paid", channel=channel, locale="en", parts=parts)
        if self.workflow is not None:
            Workflow.objects.create(tenant=tenant, event_type="paid", **self.workflow)


channels = st.sampled_from(sorted(CHANNELS))
some_channels = st.lists(channels, unique=True, max_size=4)
no_or_yes = st.sampled_from([False, True])
switches = st.dictionaries(channels, st.booleans(), max_size=4)
categories = st.sampled_from(["", "orders"])
zones = st.sampled_from(["", "Asia/Kolkata", "America/New_York"])
spans = st.tuples(st.sampled_from([-2, -6, -2, 2, -22]), st.sampled_from([9, 23, 4]))
hours = st.builds(
    Hours,
    spans=st.lists(spans, min_size=1, max_size=2),
    zone=zones,
    channels=st.one_of(st.just([]), some_channels),
    is_on=st.sampled_from([True, True, True, False]),
)
choices = st.dictionaries(st.tuples(categories, st.one_of(channels, st.just(""))), no_or_yes, max_size=4).map(
    lambda chosen: {key: is_on for key, is_on in chosen.items() if key != ("", "")}
)
persons = st.builds(
    Person,
    addresses=st.one_of(st.just(sorted(ANN)), st.lists(st.sampled_from(sorted(ANN)), unique=True)),
    choices=choices,
    zone=zones,
    hours=st.one_of(hours, hours, st.none()),
)
workflows = st.fixed_dictionaries(
    {
        "channels": st.one_of(st.lists(channels, unique=True, min_size=3, max_size=5), st.just([])),
        "template": st.sampled_from(["", "paid"]),
        "category": categories,
        "is_critical": st.sampled_from([False, False, True]),
        "is_active": st.sampled_from([True, True, True, False]),
        "quiet_hours": st.sampled_from(["drop", "hold", "ignore", "digest"]),
        "dedup_key": st.just(["id"]),
        "dedup_window": st.sampled_from([3600, None]),
    }
)
shops = st.builds(
    Shop,
    people=st.fixed_dictionaries({"ann": persons}, optional={"bob": persons}),
    zone=zones.map(lambda zone: zone or "UTC"),
    defaults=switches,
    suppressed=st.dictionaries(
        st.sampled_from([*sorted(ANN), "in_app"]), st.sampled_from(["", "*", "orders"]), max_size=2
    ),
    templates=st.dictionaries(channels, st.sampled_from([GOOD, BROKEN]), min_size=3, max_size=5),
    workflow=st.one_of(workflows, workflows, st.none()),
)
COLLECTS = Shop(  # quiet now, by a workflow that makes a digest of it
    people={"ann": Person(sorted(ANN), choices={}, zone="", hours=Hours([(-2, 9)], "Asia/Kolkata", [], is_on=True))},
    zone="UTC",
    defaults={},
    suppressed={},
    templates={"email": GOOD},
    workflow={"channels": ["email", "in_app"], "quiet_hours": "digest"},
)
inline = st.fixed_dictionaries(
    {"user_id": st.sampled_from(["ann", "cid"])},
    optional={"email": st.just("new@example.com"), "name": st.just("Named")},
)
recipients = st.lists(st.one_of(st.sampled_from(["ann", "bob"]), inline), min_size=1, max_size=4)
events = st.fixed_dictionaries(
    {"event_type": st.just("paid"), "payload": st.sampled_from([{"id": 7}, {"id": 8}, {}])},
    optional={"channels": st.lists(channels, unique=True, min_size=1, max_size=3), "priority": st.just("high")},
).flatmap(
    lambda body: st.one_of(recipients.map(lambda who: body | {"recipients": who}), st.just(body | {"topic": "all"}))
)
words = st.one_of(
    st.fixed_dictionaries({"template": st.just("paid"), "data": st.sampled_from([{}, {"id": 7}])}),
    st.just({"body": "Hello {{ customer.name }}", "data": {}}),
    st.just({"body": "As it stands {{"}),
)
sends = st.tuples(
    words,
    st.one_of(
        st.fixed_dictionaries({"channel": channels, "user_id": st.sampled_from(["ann", "bob", "nobody"])}),
        st.sampled_from([{"channel": c, "to": to} for c, to in ANN.items()]),
    ),
    st.fixed_dictionaries({}, optional={"category": categories.filter(bool), "critical": st.booleans()}),
).map(lambda parts: parts[0] | parts[1] | parts[2])
calls = st.one_of(st.tuples(st.just(EVENTS), events), st.tuples(st.just(NOTIFY), sends))
asked = st.lists(calls, min_size=4, max_size=6).map(lambda made: [*made, made[0]])  # the last may be a duplicate


@contextmanager
def nothing_written() -> Iterator[None]:
    """PostgreSQL itself refuses every write of this connection meanwhile."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
