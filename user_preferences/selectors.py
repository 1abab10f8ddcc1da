"""Reading customers and their choices. Every query starts from a tenant, or from customers who were found that way."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from django.db.models import Q

from tenants.models import Tenant
from user_preferences import policy
from user_preferences.models import Customer, Preference
from user_preferences.policy import EVERY, NO_CHOICES, Choices

T = TypeVar("T")

CHUNK = 5_000  # values in an IN list; SQLite takes 32,766 parameters a statement


def by_user_ids(tenant_id: uuid.UUID, user_ids: Collection[str]) -> dict[str, Customer]:
    """Those who exist, by user_id."""
    found: dict[str, Customer] = {}
    for some in _chunks(user_ids):
        found |= {c.user_id: c for c in Customer.objects.for_tenant(tenant_id).filter(user_id__in=some)}
    return found


def by_ids(customer_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Customer]:
    found: dict[uuid.UUID, Customer] = {}
    for some in _chunks(customer_ids):
        found |= {c.id: c for c in Customer.objects.in_scope().filter(id__in=some)}
    return found


def all_after(tenant_id: uuid.UUID, cursor: uuid.UUID | None, limit: int) -> list[Customer]:
    """The next customers of a tenant in the order of their ids; start with None, go on with the last id."""
    everybody = Customer.objects.for_tenant(tenant_id)
    rest = everybody if cursor is None else everybody.filter(id__gt=cursor)
    return list(rest.order_by("id")[:limit])


def choices_of(
    customer_ids: Collection[uuid.UUID], *, channels: Collection[str] | None = None
) -> dict[uuid.UUID, Choices]:
    """By customer; whoever chose nothing has no entry (`policy.NO_CHOICES`). Who chose alike shares one object.

    With `channels`, only what decides about these.
    """
    about = {} if channels is None else {"channel__in": [*channels, EVERY]}
    chosen: dict[uuid.UUID, dict[tuple[str, str], bool]] = defaultdict(dict)
    for some in _chunks(customer_ids):
        rows = Preference.objects.in_scope().filter(customer_id__in=some, **about)
        for customer_id, category, channel, is_enabled in rows.values_list(
            "customer_id", "category", "channel", "is_enabled"
        ):
            chosen[customer_id][category, channel] = is_enabled
    distinct: dict[frozenset[tuple[tuple[str, str], bool]], Choices] = {}
    found: dict[uuid.UUID, Choices] = {}
    for customer_id, mine in chosen.items():
        alike = frozenset(mine.items())
        found[customer_id] = distinct.get(alike) or distinct.setdefault(alike, Choices(MappingProxyType(mine)))
    return found


def with_quiet_hours(customer_ids: Collection[uuid.UUID]) -> Iterable[Customer]:
    """With nothing but these, and the zone that they are in."""
    for some in _chunks(customer_ids):
        rows = Customer.objects.in_scope().filter(id__in=some, quiet_hours__isnull=False)
        yield from rows.only("id", "quiet_hours", "timezone")


def find(tenant: Tenant, key: str) -> Customer | None:
    """By our id or the tenant's user_id; should one be the other's, our id wins."""
    wanted = Q(user_id=key)
    try:
        own_id = uuid.UUID(key)
        wanted |= Q(id=own_id)
    except ValueError:
        own_id = None
    found = sorted(Customer.objects.for_tenant(tenant).filter(wanted), key=lambda customer: customer.id != own_id)
    return found[0] if found else None


def check_preference(user_id: str, channel: str, *, tenant: Tenant, category: str = "") -> bool:
    """Whether this customer wants to hear on this channel, by choice or by default."""
    customer = Customer.objects.for_tenant(tenant).filter(user_id=user_id).first()
    choices = choices_of([customer.id]).get(customer.id, NO_CHOICES) if customer else NO_CHOICES
    return policy.is_wanted(
        choices,
        channel=channel,
        category=category,
        tenant_defaults=tenant.channel_defaults,
        has_address=bool(customer and customer.address_on(channel)),
    )


def _chunks(values: Collection[T]) -> Iterable[list[T]]:
    listed = list(values)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))


def choices_by(customer_id: uuid.UUID) -> Iterable[Mapping[str, Any]]:
    """As they are stored."""
    rows = Preference.objects.in_scope().filter(customer_id=customer_id).order_by("category", "channel")
    return rows.values("category", "channel", "is_enabled", "source", "updated_at")
