"""Shops of every kind, drawn by Hypothesis, and what an event or a send to one comes to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from hypothesis import strategies as st

from delivery_gateway import suppressions
from delivery_gateway.registry import CHANNELS
from notification_processor.models import Workflow
from notification_processor.templates import create
from tenants.models import Tenant
from user_preferences.customers import RecipientInput, upsert
from user_preferences.models import Preference

ANN = {"email": "ann@example.com", "slack": "https://hooks.example.com/ann", "telegram": "12345"}
GOOD, BROKEN = "Order {{ id }} for {{ customer.name }}", "Order {{ id }} at {{ nowhere.street }}"
channels = st.sampled_from(sorted(CHANNELS))
some_channels = st.lists(channels, unique=True, max_size=4)
switches = st.dictionaries(channels, st.booleans(), max_size=4)
categories = st.sampled_from(["", "orders"])


@dataclass(frozen=True)
class Shop:
    """What a tenant has set up, and what Ann chose."""

    addresses: list[str]
    choices: dict[tuple[str, str], bool]
    defaults: dict[str, bool]
    suppressed: dict[str, str]
    templates: dict[str, str]
    workflow: dict[str, Any] | None

    def open(self, tenant: Tenant) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(channel_defaults=self.defaults)
        Workflow.objects.filter(tenant=tenant).delete()
        given = {c: address for c, address in ANN.items() if c in self.addresses}
        email = given.pop("email", "")
        ann = upsert(tenant, [RecipientInput("ann", name="Ann", email=email, addresses=given)])["ann"]
        for (category, channel), is_on in self.choices.items():
            Preference.objects.create(tenant=tenant, customer=ann, category=category, channel=channel, is_enabled=is_on)
        for channel, scope in self.suppressed.items():
            digest = suppressions.address_hash(tenant.id, ANN.get(channel, "ann"))
            suppressions.add(tenant.id, channel, digest, scope=scope, reason="hard_bounce")
        for channel, words in self.templates.items():
            parts = {"subject": "Yours", "body": words, "html": ""}
            create(tenant, name="paid", channel=channel, locale="en", parts=parts)
        if self.workflow is not None:
            Workflow.objects.create(tenant=tenant, event_type="paid", **self.workflow)


workflows = st.fixed_dictionaries(
    {
        "channels": some_channels,
        "template": st.sampled_from(["", "paid"]),
        "category": categories,
        "is_critical": st.booleans(),
        "is_active": st.sampled_from([True, True, True, False]),
        "dedup_key": st.just(["id"]),
        "dedup_window": st.sampled_from([None, 3600]),
    }
)
shops = st.builds(
    Shop,
    addresses=st.lists(st.sampled_from(sorted(ANN)), unique=True),
    choices=st.dictionaries(st.tuples(categories, st.one_of(channels, st.just(""))), st.booleans(), max_size=4).map(
        lambda chosen: {key: is_on for key, is_on in chosen.items() if key != ("", "")}
    ),
    defaults=switches,
    suppressed=st.dictionaries(
        st.sampled_from([*sorted(ANN), "in_app"]), st.sampled_from(["", "*", "orders"]), max_size=2
    ),
    templates=st.dictionaries(channels, st.sampled_from([GOOD, BROKEN]), max_size=4),
    workflow=st.one_of(st.none(), workflows),
)
inline = st.fixed_dictionaries(
    {"user_id": st.sampled_from(["ann", "cid"])},
    optional={"email": st.just("new@example.com"), "name": st.just("Named")},
)
people = st.lists(st.one_of(st.sampled_from(["ann", "bob"]), inline), min_size=1, max_size=4)
events = st.fixed_dictionaries(
    {"event_type": st.just("paid"), "payload": st.sampled_from([{}, {"id": 7}])},
    optional={"channels": st.lists(channels, unique=True, min_size=1, max_size=3), "priority": st.just("high")},
).flatmap(lambda body: st.one_of(people.map(lambda who: body | {"recipients": who}), st.just(body | {"topic": "all"})))
words = st.one_of(
    st.fixed_dictionaries({"template": st.just("paid"), "data": st.sampled_from([{}, {"id": 7}])}),
    st.just({"body": "Hello {{ customer.name }}", "data": {}}),
    st.just({"body": "As it stands {{"}),
)
sends = st.tuples(
    words,
    st.one_of(
        st.fixed_dictionaries({"channel": channels, "user_id": st.sampled_from(["ann", "nobody"])}),
        st.sampled_from([{"channel": c, "to": to} for c, to in ANN.items()]),
    ),
    st.fixed_dictionaries({}, optional={"category": categories.filter(bool), "critical": st.booleans()}),
).map(lambda parts: parts[0] | parts[1] | parts[2])


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
