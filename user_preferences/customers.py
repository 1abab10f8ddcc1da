"""Changes to customers. A recipient as tenants describe one comes in, stored customers come out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import quote

from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.models import Tenant
from traffic_control.bulk import update_from_values
from traffic_control.errors import Problem
from user_preferences.models import Customer
from user_preferences.selectors import by_user_ids


@dataclass(frozen=True, slots=True)
class RecipientInput:
    """A recipient as a tenant describes one. None leaves what is stored; `addresses` and `attributes` merge by key."""

    user_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    addresses: Mapping[str, str | None] | None = None
    locale: str | None = None
    timezone: str | None = None
    attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """`new` are the user_ids that did not exist before."""

    customers: dict[str, Customer]
    new: frozenset[str]


COLUMNS = tuple(field.name for field in fields(RecipientInput) if field.name != "user_id")
MERGED = ("addresses", "attributes")


def upsert(tenant: Tenant, recipients: Iterable[RecipientInput]) -> dict[str, Customer]:
    """Creates who is new and updates who changed, in a handful of statements. By user_id, as stored now."""
    return store(tenant, recipients).customers


@transaction.atomic(savepoint=False)
def store(tenant: Tenant, recipients: Iterable[RecipientInput]) -> Stored:
    """As `upsert`. Described twice, a customer gets both descriptions, the later one winning field by field.

    Rows are created in the order of their user_ids, so that two callers with the same new people wait for each other
    instead of dead-locking.
    """
    wanted = _one_each(recipients)
    found = by_user_ids(tenant.id, wanted)
    new = [_created(tenant, wanted[user_id]) for user_id in sorted(wanted.keys() - found.keys())]
    mine: dict[str, Customer] = {}
    if new:
        Customer.objects.bulk_create(new, ignore_conflicts=True)
        now_there = by_user_ids(tenant.id, [customer.user_id for customer in new])
        own_ids = {customer.id for customer in new}
        mine = {user_id: row for user_id, row in now_there.items() if row.id in own_ids}
        found |= now_there
    known = [row for user_id, row in found.items() if user_id not in mine]
    return Stored(found | _updated(tenant, known, wanted), frozenset(mine))


def imagined(tenant: Tenant, recipients: Iterable[RecipientInput]) -> dict[str, Customer]:
    """What `upsert` would make of them, by user_id. Writes nothing."""
    wanted = _one_each(recipients)
    found = by_user_ids(tenant.id, wanted)
    for user_id, customer in found.items():
        apply(customer, wanted[user_id])
    return found | {u: _created(tenant, wanted[u]) for u in wanted.keys() - found.keys()}


def _one_each(recipients: Iterable[RecipientInput]) -> dict[str, RecipientInput]:
    wanted: dict[str, RecipientInput] = {}
    for recipient in recipients:
        earlier = wanted.get(recipient.user_id)
        wanted[recipient.user_id] = _combined(earlier, recipient) if earlier else recipient
    return wanted


def _combined(earlier: RecipientInput, later: RecipientInput) -> RecipientInput:
    given = {name: value for name in COLUMNS if (value := getattr(later, name)) is not None}
    for name in MERGED:
        if name in given:
            given[name] = {**(getattr(earlier, name) or {}), **given[name]}
    return replace(earlier, **given)


def _created(tenant: Tenant, recipient: RecipientInput) -> Customer:
    customer = Customer(tenant=tenant, user_id=recipient.user_id)
    apply(customer, recipient)
    return customer


def _updated(tenant: Tenant, known: Sequence[Customer], wanted: Mapping[str, RecipientInput]) -> dict[str, Customer]:
    """Locks and writes only those whom the description changes; most often nobody."""
    stale = [row.id for row in known if apply(row, wanted[row.user_id])]
    if not stale:
        return {}
    locked = Customer.objects.for_tenant(tenant).select_for_update().filter(id__in=stale).order_by("id")
    changed = [row for row in locked if apply(row, wanted[row.user_id])]
    write(changed)
    return {row.user_id: row for row in changed}


def write(changed: Sequence[Customer]) -> None:
    now = timezone.now()
    rows: list[list[Any]] = []
    for customer in changed:
        customer.updated_at = now
        rows.append([customer.id, *(getattr(customer, name) for name in COLUMNS), now])
    update_from_values(Customer, (*COLUMNS, "updated_at"), rows)


def apply(customer: Customer, recipient: RecipientInput) -> bool:
    """Puts the description into the row, without saving; whether that changed anything."""
    before = {name: getattr(customer, name) for name in COLUMNS}
    for name in COLUMNS:
        value = getattr(recipient, name)
        if value is not None:
            setattr(customer, name, merged(before[name], value) if name in MERGED else value)
    return any(getattr(customer, name) != before[name] for name in COLUMNS)


def merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key, as RFC 7396 merges objects: None takes a key away."""
    return {key: value for key, value in {**stored, **given}.items() if value is not None}


def create(tenant: Tenant, recipient: RecipientInput) -> Customer:
    """Raises Problem 409 `customer_exists`."""
    customer = _created(tenant, recipient)
    try:
        with transaction.atomic():
            customer.save(force_insert=True)
    except IntegrityError as exc:
        there = f"/api/v1/customers/{quote(recipient.user_id)}/"
        detail = f'There is a customer with user_id "{recipient.user_id}" already. Change it: PATCH {there}.'
        raise Problem("customer_exists", detail, status=409) from exc
    return customer


@transaction.atomic
def change(customer: Customer, recipient: RecipientInput, *, emptied: Collection[str] = ()) -> Customer:
    """The row with the fields of `emptied` blank first, then described anew; PUT empties them all."""
    row = Customer.objects.for_tenant(customer.tenant_id).select_for_update().get(pk=customer.pk)
    for name in emptied:
        setattr(row, name, {} if name in MERGED else "")
    apply(row, recipient)
    row.save()
    return row


def remove(customer: Customer) -> None:
    """Forgets the customer and their choices."""
    Customer.objects.for_tenant(customer.tenant_id).filter(pk=customer.pk).delete()
