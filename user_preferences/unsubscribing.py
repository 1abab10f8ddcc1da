"""A customer says "no more of this" by a link, without a login; and takes that back."""

import uuid

from django.db import transaction

from traffic_control import audit
from user_preferences import consent_log
from user_preferences.consent_log import BY_LINK, Voice
from user_preferences.models import Customer, Preference
from user_preferences.policy import EVERY


@transaction.atomic
def unsubscribe(
    tenant_id: uuid.UUID, customer_id: uuid.UUID, *, category: str, channel: str, voice: Voice = BY_LINK
) -> bool:
    """Turns the channel off for the category (all of them: EVERY). False when it was, or there is no such customer."""
    customer = _locked(tenant_id, customer_id)
    if customer is None:
        return False
    choice = Preference.objects.for_tenant(tenant_id).filter(customer=customer, category=category, channel=channel)
    before = choice.values_list("is_enabled", flat=True).first()
    if before is False:
        return False
    Preference.objects.update_or_create(
        tenant_id=tenant_id, customer=customer, category=category, channel=channel,
        defaults={"is_enabled": False, "source": BY_LINK.source},
    )  # fmt: skip
    consent_log.note(customer, {(category, channel): False}, voice)
    _record("unsubscribed", customer, f"unsubscribed from {_what(category)} on {channel}", (before, False))
    return True


@transaction.atomic
def undo(tenant_id: uuid.UUID, customer_id: uuid.UUID, *, category: str, channel: str, voice: Voice = BY_LINK) -> bool:
    """Takes back what such a link did, and nothing that was chosen elsewhere; back to what holds without a choice."""
    customer = _locked(tenant_id, customer_id)
    if customer is None:
        return False
    mine = Preference.objects.for_tenant(tenant_id).filter(
        customer=customer, category=category, channel=channel, is_enabled=False, source=BY_LINK.source
    )
    if not mine.delete()[0]:
        return False
    consent_log.note(customer, {(category, channel): None}, voice)
    said = f"took back having unsubscribed from {_what(category)} on {channel}"
    _record("unsubscription_undone", customer, said, (False, None))
    return True


def _locked(tenant_id: uuid.UUID, customer_id: uuid.UUID) -> Customer | None:
    return Customer.objects.for_tenant(tenant_id).select_for_update().filter(pk=customer_id).first()


def _what(category: str) -> str:
    return f'"{category}"' if category != EVERY else "everything that is not critical"


def _record(deed: str, customer: Customer, said: str, change: audit.Change) -> None:
    audit.record(
        f"preference.{deed}",
        tenant_id=customer.tenant_id,
        object_id=customer.id,
        summary=f"Customer {customer.id} {said}",
        changes={"is_enabled": change},
        actor=audit.Actor(audit.RECIPIENT, str(customer.id)),
    )
