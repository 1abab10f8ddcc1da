"""A customer says "no more of this" by a link, without a login."""

import uuid

from django.db import transaction

from traffic_control import audit
from user_preferences.models import Customer, Preference
from user_preferences.policy import EVERY


@transaction.atomic
def unsubscribe(tenant_id: uuid.UUID, customer_id: uuid.UUID, *, category: str, channel: str) -> bool:
    """Turns the channel off for the category (all of them: EVERY). False when it was, or there is no such customer."""
    customer = Customer.objects.for_tenant(tenant_id).select_for_update().filter(pk=customer_id).first()
    if customer is None:
        return False
    choice = Preference.objects.for_tenant(tenant_id).filter(customer=customer, category=category, channel=channel)
    before = choice.values_list("is_enabled", flat=True).first()
    if before is False:
        return False
    Preference.objects.update_or_create(
        tenant_id=tenant_id, customer=customer, category=category, channel=channel,
        defaults={"is_enabled": False, "source": Preference.Source.UNSUBSCRIBE_LINK},
    )  # fmt: skip
    what = f'"{category}"' if category != EVERY else "everything that is not critical"
    audit.record(
        "preference.unsubscribed",
        tenant_id=tenant_id,
        object_id=customer.id,
        summary=f"Customer {customer.id} unsubscribed from {what} on {channel}",
        changes={"is_enabled": (before, False)},
        actor=audit.Actor(audit.RECIPIENT, str(customer.id)),
    )
    return True
