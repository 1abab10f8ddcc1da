"""What customers agreed to and declined, when, by what, and which words they had seen: written, never changed."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from traffic_control import audit
from traffic_control.rate_limit import opaque
from user_preferences.models import ConsentEntry, Customer, Preference

BY_THEMSELVES = frozenset(
    {Preference.Source.UNSUBSCRIBE_LINK, Preference.Source.PREFERENCE_PAGE, Preference.Source.INBOX}
)


@dataclass(frozen=True, slots=True)
class Voice:
    """By what a choice was made. Of a person's own acts: a keyed hash of where from, and the version of the words."""

    source: Preference.Source = Preference.Source.API
    ip_hash: str = ""
    text_version: str = ""

    def actor(self, customer: Customer) -> audit.Actor:
        if self.source in BY_THEMSELVES:
            return audit.Actor(audit.RECIPIENT, str(customer.pk))
        return audit.current_actor()


BY_API = Voice()
BY_LINK = Voice(Preference.Source.UNSUBSCRIBE_LINK)


def voice_of(request: HttpRequest, source: Preference.Source, text_version: str) -> Voice:
    return Voice(source, opaque(f"consent:{audit.ip_of(request)}"), text_version)


def note(customer: Customer, changed: Mapping[tuple[str, str], bool | None], voice: Voice) -> None:
    """One entry for each choice, by category and channel; None: it was taken back. Within the change's transaction."""
    entries = [
        _entry(customer, voice, category=category, channel=channel, is_enabled=is_on)
        for (category, channel), is_on in changed.items()
    ]
    ConsentEntry.objects.bulk_create(entries)


def note_quiet_hours(customer: Customer, voice: Voice) -> None:
    """As the customer has them now."""
    _entry(customer, voice, is_about_quiet_hours=True, quiet_hours=customer.quiet_hours).save(force_insert=True)


def _entry(customer: Customer, voice: Voice, **said: Any) -> ConsentEntry:
    actor = voice.actor(customer)
    return ConsentEntry(
        tenant_id=customer.tenant_id,
        customer=customer,
        at=timezone.now(),
        source=voice.source,
        actor_kind=actor.kind,
        actor_id=actor.id,
        ip_hash=voice.ip_hash,
        text_version=voice.text_version,
        **said,
    )


def entries_of(customer_id: uuid.UUID) -> Iterable[Mapping[str, Any]]:
    """As they are stored, oldest first."""
    rows = ConsentEntry.objects.in_scope().filter(customer_id=customer_id).order_by("id").annotate(by=F("actor_kind"))
    return rows.values(
        "at", "category", "channel", "is_enabled", "is_about_quiet_hours", "quiet_hours", "source", "by", "ip_hash",
        "text_version",
    )  # fmt: skip
