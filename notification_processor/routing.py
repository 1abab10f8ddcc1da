"""The router: audience in slices → choices, suppressions, limits → rendered ledger rows, or rows that say why not.

A slice's rows and the event's cursor commit together, and a row's id is derived from event, customer and channel: a
crash at any point resumes where it was, and nothing can be opened twice.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from notification_processor import limits, templates
from notification_processor.audience import Slice, next_slices
from notification_processor.context import context_for
from notification_processor.defaults import ChannelDefaults, channel_defaults
from notification_processor.layouts import built_in
from notification_processor.models import Event
from notification_processor.rendering import Rendered, Source, TemplateFault, render
from traffic_control.bulk import update_from_values
from traffic_control.ids import derived_uuid7
from user_preferences import policy, selectors
from user_preferences.models import Customer
from user_preferences.policy import Choices, Decision

log = logging.getLogger(__name__)

BATCH = 200  # events a transaction
CARRY_PAYLOAD = frozenset({"webhook", "in_app"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What one transaction's decisions rest on, loaded in a handful of queries for all its recipients."""

    choices: dict[uuid.UUID, Choices]
    defaults: dict[uuid.UUID, ChannelDefaults]
    sources: dict[str, Source]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One recipient on one channel, decided but not yet checked against suppressions and limits."""

    event: Event
    customer: Customer
    channel: str
    address: str
    decision: Decision


def route(*, now: datetime) -> int:
    """Routes one batch of generated events; how many recipients it settled. Wake the stage again while it is not 0."""
    with transaction.atomic():
        generated = Event.objects.select_for_update(skip_locked=True, of=("self",)).filter(state=Event.State.GENERATED)
        events = list(generated.select_related("tenant").order_by("id")[:BATCH])
        if not events:
            return 0
        slices = next_slices(events)
        facts = _facts(slices)
        candidates = [c for s in slices for person in s.customers for c in _candidates(s.event, person, facts)]
        opened = ledger.open_rows(_rows(candidates, facts, now))
        _advance(slices, now)
    log.info("routed events to notifications", extra={"stage": "route", "count": len(opened)})
    return len(slices) + sum(len(s.customers) for s in slices)


def _advance(slices: Sequence[Slice], now: datetime) -> None:
    done, more = Event.State.COMPLETED, Event.State.GENERATED
    rows = [(s.event.id, done if s.is_last else more, s.cursor, now if s.is_last else None) for s in slices]
    update_from_values(Event, ("state", "cursor", "completed_at"), rows)


def _facts(slices: Sequence[Slice]) -> Facts:
    customer_ids = [c.id for s in slices for c in s.customers]
    pinned = {v for s in slices for locales in _versions(s.event).values() for v in locales.values()}
    return Facts(
        choices=selectors.choices_of(customer_ids),
        defaults=channel_defaults({s.event.tenant_id for s in slices}),
        sources=templates.sources(pinned) if pinned else {},
    )


def _versions(event: Event) -> dict[str, dict[str, str]]:
    versions: dict[str, dict[str, str]] = (event.plan or {}).get("versions", {})
    return versions


def _candidates(event: Event, customer: Customer, facts: Facts) -> Iterable[Candidate]:
    plan, defaults = event.plan or {}, facts.defaults[event.tenant_id]
    choices = facts.choices.get(customer.id, policy.NO_CHOICES)
    addresses = {channel: address_of(customer, channel) for channel in CHANNELS}
    reachable = {c for c, address in addresses.items() if address or c in defaults.with_own_address}
    channels = plan.get("channels")
    if channels is None:
        channels = policy.default_channels(choices, reachable, defaults.choices)
    for channel in channels:
        decision = policy.decide(
            choices,
            channel=channel,
            category=plan.get("category", ""),
            is_critical=plan.get("critical", False),
            tenant_defaults=defaults.choices,
            has_address=channel in reachable,
        )
        yield Candidate(event, customer, channel, addresses[channel], decision)


def address_of(customer: Customer, channel: str) -> str:
    if channel == "in_app":
        return customer.user_id
    return customer.email if channel == "email" else str(customer.addresses.get(channel) or "")


def _rows(candidates: Sequence[Candidate], facts: Facts, now: datetime) -> list[NewNotification]:
    suppressions = ledger.suppressed((c.event.tenant_id, c.channel, c.address) for c in candidates)
    wanted = [c for c in candidates if c.decision.is_allowed and _key(c) not in suppressions]
    waits = limits.waits_for([(c.event.tenant_id, c.customer.user_id, c.channel, c.event.mode) for c in wanted])
    due = {id(c): limits.due_at(wait, now) for c, wait in zip(wanted, waits, strict=True) if wait > 0}
    return [_row(c, facts, suppressions.get(_key(c)), due.get(id(c)), now) for c in candidates]


def _key(candidate: Candidate) -> tuple[uuid.UUID, str, str]:
    return candidate.event.tenant_id, candidate.channel, candidate.address


def _row(
    c: Candidate, facts: Facts, suppression: str | None, due_at: datetime | None, now: datetime
) -> NewNotification:
    source = _source(c, facts)
    common: dict[str, Any] = {
        "id": derived_uuid7(c.event.id, str(c.customer.id), c.channel),
        "tenant_id": c.event.tenant_id,
        "channel": c.channel,
        "created_at": now,
        "mode": c.event.mode,
        "event_id": c.event.id,
        "event_type": c.event.event_type,
        "user_id": c.customer.user_id,
        "customer_id": c.customer.id,
        "to": c.address,
        "template_name": source.name,
        "template_version": source.number,
        "category": (c.event.plan or {}).get("category", ""),
        "is_critical": (c.event.plan or {}).get("critical", False),
        "priority": c.event.priority,
        "expires_at": c.event.expires_at,
        "routed_at": now,
    }
    if not c.decision.is_allowed:
        return NewNotification(**common, status=Status.SUPPRESSED, reason=c.decision.rule, detail=c.decision.detail)
    if suppression is not None:
        detail = f"This address is suppressed on {c.channel}: {suppression}."
        return NewNotification(**common, status=Status.SUPPRESSED, reason="address_suppressed", detail=detail)
    try:
        text = _rendered(c, source)
    except TemplateFault as fault:
        detail = f"Template {source.name} version {source.number or 0}: {fault}"
        return NewNotification(**common, status=Status.FAILED, reason="template_error", detail=detail)
    common |= {"subject": text.subject, "body": text.body, "html": text.html}
    if c.channel in CARRY_PAYLOAD:
        common["payload"] = c.event.payload
    if due_at is not None:
        return NewNotification(**common, status=Status.SCHEDULED, due_at=due_at, reason="recipient_rate_limit")
    return NewNotification(**common, status=Status.QUEUED)


def _source(c: Candidate, facts: Facts) -> Source:
    locales = _versions(c.event).get(c.channel)
    if not locales:
        return built_in(c.channel)
    locale = c.customer.locale.lower()
    wanted = (locale, locale.split("-")[0], templates.DEFAULT_LOCALE)
    version = next((locales[w] for w in wanted if w in locales), locales[min(locales)])
    return facts.sources[version]


def _rendered(c: Candidate, source: Source) -> Rendered:
    context = context_for(
        payload=c.event.payload,
        tenant_name=c.event.tenant.name,
        customer=c.customer,
        event_id=str(c.event.id),
        event_type=c.event.event_type,
        occurred_at=c.event.occurred_at,
    )
    return render(source, context)
