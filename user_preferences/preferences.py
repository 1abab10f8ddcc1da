"""Changes to what a customer chose, as JSON says it: sparse, with null for "back to the default"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from tenants import syntax
from tenants.models import Tenant
from traffic_control.faults import Fault, Faults
from traffic_control.spelling import did_you_mean
from user_preferences import consent_log, customers, quiet_hours_input, selectors
from user_preferences.consent_log import BY_API, Voice
from user_preferences.customers import RecipientInput
from user_preferences.models import Customer, Preference
from user_preferences.policy import CHANNELS, EVERY, NO_CHOICES, Choices

Key = tuple[str, str]  # category, channel
STAR = "*"  # how EVERY is written in JSON
FIELDS = ("channels", "categories", "quiet_hours")


@dataclass(frozen=True, slots=True)
class Edit:
    """What a body asks for. None as a choice takes it back; `resets` are categories whose choices all go first.

    `quiet_hours` are replaced as a whole, by nothing when they are None.
    """

    chosen: Mapping[Key, bool | None] = field(default_factory=dict)
    resets: frozenset[str] = frozenset()
    resets_categories: bool = False
    quiet_hours: dict[str, Any] | None = None
    names_quiet_hours: bool = False

    def applied_to(self, current: Mapping[Key, bool]) -> dict[Key, bool]:
        kept = {key: is_on for key, is_on in current.items() if not self._resets(key[0])}
        return {key: is_on for key, is_on in {**kept, **self.chosen}.items() if is_on is not None}

    def _resets(self, category: str) -> bool:
        return category in self.resets or (self.resets_categories and category != EVERY)


def read(body: Mapping[str, Any]) -> Edit:
    """Raises Problem with every fault."""
    faults = Faults()
    faults.unknown(body, FIELDS)
    chosen = _channels(body.get("channels", {}), faults, EVERY, "/channels")
    resets = {EVERY} if body.get("channels", {}) is None else set()
    categories = body.get("categories", {})
    if isinstance(categories, dict):
        resets |= {name for name, choice in categories.items() if choice is None}
        for name, choice in categories.items():
            chosen |= _category(name, choice, faults)
    elif categories is not None:
        faults.add("/categories", 'It must be an object like {"marketing": {"email": false}}.')
    quiet_hours = quiet_hours_input.read(body.get("quiet_hours"), faults)
    faults.refuse()
    return Edit(
        chosen,
        frozenset(resets),
        resets_categories=categories is None,
        quiet_hours=quiet_hours,
        names_quiet_hours="quiet_hours" in body,
    )


def _category(name: str, choice: Any, faults: Faults) -> dict[Key, bool | None]:
    pointer = f"/categories/{name}"
    category = faults.checked(pointer, _category_name, name)
    if category is None:
        return {}
    if isinstance(choice, bool):
        return {(category, EVERY): choice}
    return _channels(choice, faults, category, pointer)


def _category_name(name: str) -> str:
    category = syntax.text(name, max_length=64)
    if category in ("", STAR):
        raise Fault(f"{syntax.quoted(name)} cannot name a category.")
    return category


def _channels(given: Any, faults: Faults, category: str, pointer: str) -> dict[Key, bool | None]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        faults.add(pointer, 'It must be an object like {"email": true, "slack": false}.')
        return {}
    for channel, choice in given.items():
        if channel not in (*CHANNELS, STAR):
            hint = did_you_mean(channel, CHANNELS)
            faults.add(f"{pointer}/{channel}", f'There is no channel "{channel}".', code="unknown_channel", hint=hint)
        elif choice is not None and not isinstance(choice, bool):
            faults.add(f"{pointer}/{channel}", f"{syntax.quoted(choice)} is not true, false or null.")
    return {(category, EVERY if channel == STAR else channel): choice for channel, choice in given.items()}


@transaction.atomic
def choose(tenant: Tenant, user_id: str, edit: Edit, *, is_patch: bool, voice: Voice = BY_API) -> Customer:
    """Stores the choices; a user_id never heard of becomes a customer. Without `is_patch`, older choices go."""
    customer = selectors.find(tenant, user_id) or customers.upsert(tenant, [RecipientInput(user_id)])[user_id]
    return change(customer, edit, is_patch=is_patch, voice=voice)


@transaction.atomic
def change(customer: Customer, edit: Edit, *, is_patch: bool = True, voice: Voice = BY_API) -> Customer:
    """As `choose`, of somebody who is known. What changes is noted in the consent log."""
    customer = Customer.objects.for_tenant(customer.tenant_id).select_for_update().get(pk=customer.pk)
    current = dict(choices_of(customer).chosen)
    wanted = edit.applied_to(current if is_patch else {})
    gone = current.keys() - wanted.keys()
    changed = {key: is_on for key, is_on in wanted.items() if current.get(key) is not is_on}
    _forget(customer, gone)
    _write(customer, changed, voice)
    consent_log.note(customer, changed | dict.fromkeys(sorted(gone)), voice)
    if (edit.names_quiet_hours or not is_patch) and customer.quiet_hours != edit.quiet_hours:
        customer.quiet_hours = edit.quiet_hours
        customer.save(update_fields=["quiet_hours", "updated_at"])
        consent_log.note_quiet_hours(customer, voice)
    return customer


def _forget(customer: Customer, keys: set[Key]) -> None:
    rows = (
        Preference.objects.for_tenant(customer.tenant_id)
        .filter(customer=customer)
        .values_list("id", "category", "channel")
        if keys
        else ()
    )
    gone = [row_id for row_id, category, channel in rows if (category, channel) in keys]
    if gone:
        Preference.objects.for_tenant(customer.tenant_id).filter(customer=customer, id__in=gone).delete()


def _write(customer: Customer, chosen: Mapping[Key, bool], voice: Voice) -> None:
    now = timezone.now()
    rows = [
        Preference(
            tenant_id=customer.tenant_id,
            customer=customer,
            category=category,
            channel=channel,
            is_enabled=is_on,
            source=voice.source,
            updated_at=now,
        )
        for (category, channel), is_on in chosen.items()
    ]
    Preference.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["customer", "category", "channel"],
        update_fields=["is_enabled", "source", "updated_at"],
    )


def choices_of(customer: Customer) -> Choices:
    return selectors.choices_of([customer.id]).get(customer.id, NO_CHOICES)


def as_json(choices: Choices) -> dict[str, Any]:
    return edit_as_json(dict(sorted(choices.chosen.items())))


def edit_as_json(chosen: Mapping[Key, bool | None]) -> dict[str, Any]:
    channels: dict[str, bool | None] = {}
    categories: dict[str, dict[str, bool | None]] = {}
    for (category, channel), is_on in chosen.items():
        place = channels if category == EVERY else categories.setdefault(category, {})
        place[channel or STAR] = is_on
    return {"channels": channels, "categories": categories}
