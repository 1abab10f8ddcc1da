"""What is kept about customers themselves; and who a person is, of whom one thing is known."""

import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from tenants.models import Tenant
from traffic_control.errors import Problem
from traffic_control.people import Holding, Person, Rows, Step
from user_preferences import consent_log, customers, selectors
from user_preferences.models import Customer, Preference


def find(tenant: Tenant, *, user_id: str, address: str, until: datetime) -> tuple[Person, Customer | None]:
    """Locks the customer, if there is one. Raises Problem 409 when several customers have that mail address."""
    customer = _customer(tenant, user_id, address)
    given = {("", address)} if address else set()
    if customer is None:
        return Person(tenant_id=tenant.id, until=until, user_id=user_id, addresses=tuple(given)), None
    channels = {"email": customer.email, "phone": customer.phone, "in_app": customer.user_id, **customer.addresses}
    reached = {(channel, str(to)) for channel, to in channels.items() if to}
    person = Person(
        tenant_id=tenant.id,
        until=until,
        user_id=customer.user_id,
        customer_id=customer.id,
        addresses=tuple(sorted(reached | given)),
        declined=tuple(_declined(customer, dict(reached))),
    )
    return person, customer


def _customer(tenant: Tenant, user_id: str, address: str) -> Customer | None:
    everybody = Customer.objects.for_tenant(tenant).select_for_update()
    if user_id:
        return everybody.filter(user_id=user_id).first()
    found = list(everybody.filter(email__iexact=address).order_by("id")[:2])
    if len(found) > 1:
        detail = "Several customers have this address. Name each of them by its user_id."
        raise Problem("ambiguous_person", detail, status=409)
    return found[0] if found else None


def _declined(customer: Customer, reached: dict[str, str]) -> list[tuple[str, str, str]]:
    """Choices against, for each address that they are about."""
    against = (
        Preference.objects.for_tenant(customer.tenant_id)
        .filter(customer=customer, is_enabled=False)
        .order_by("category", "channel")
    )
    return [
        (channel, address, choice.category)
        for choice in against
        for channel, address in sorted(reached.items())
        if choice.channel in ("", channel) and channel != "phone"
    ]


def export(person: Person) -> Rows:
    if person.customer_id is None:
        return
    for row in Customer.objects.for_tenant(person.tenant_id).filter(id=person.customer_id).values():
        yield "customers", row
    for choice in selectors.choices_by(person.customer_id):
        yield "preferences", choice
    for entry in consent_log.entries_of(person.customer_id):
        yield "consent", entry


def step(person: Person, cursor: str) -> Step:
    """The customer is gone since the request; the console's history may still say the name."""
    _remove_who_came_back(person)
    if person.customer_id:
        kind = ContentType.objects.get_for_model(Customer)
        LogEntry.objects.filter(content_type=kind, object_id=str(person.customer_id)).update(object_repr="")
    return Step(None)


def _remove_who_came_back(person: Person) -> None:
    """An event that was on its way makes a customer of the name anew, of whom nothing else is known."""
    if person.user_id:
        named = Customer.objects.for_tenant(person.tenant_id).filter(
            user_id=person.user_id, created_at__lte=person.until
        )
        for customer in named.filter(name="", email="", phone="", addresses={}).select_for_update():
            customers.remove(customer)


def as_values(person: Person) -> dict[str, Any]:
    """As JSON takes it; `from_values` makes a person of that again."""
    return {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in asdict(person).items()} | {
        "until": person.until.isoformat()
    }


def from_values(values: dict[str, Any]) -> Person:
    return Person(
        tenant_id=uuid.UUID(values["tenant_id"]),
        until=datetime.fromisoformat(values["until"]),
        user_id=values["user_id"],
        customer_id=uuid.UUID(values["customer_id"]) if values["customer_id"] else None,
        addresses=tuple((channel, address) for channel, address in values["addresses"]),
        declined=(),  # obeyed at once
    )


HOLDING = Holding(name="customers", export=export, step=step)
