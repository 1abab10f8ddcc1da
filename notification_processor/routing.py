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
from notification_processor import deduplication, limits, templates
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
Refusal = tuple[str, str]  # reason, detail


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


def route(*, now: datetime) -> bool:
    """Routes one batch of generated events; whether there may be more to do at once."""
    with transaction.atomic():
        generated = Event.objects.select_for_update(skip_locked=True, of=("self",)).filter(state=Event.State.GENERATED)
        events = list(generated.select_related("tenant").order_by("id")[:BATCH])
        if not events:
            return False
        slices = next_slices(events)
        facts = _facts(slices)
        candidates = [c for s in slices for person in s.customers for c in _candidates(s.event, person, facts)]
        opened = ledger.open_rows(_rows(candidates, facts, now))
        _advance(slices, now)
    log.info("routed events to notifications", extra={"stage": "route", "count": len(opened)})
    return len(events) == BATCH or len(slices) < len(events) or not all(s.is_last for s in slices)


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
    refusals = _refusals(candidates)
    wanted = [c for c in candidates if id(c) not in refusals]
    waits = limits.waits_for([(c.event.tenant_id, c.customer.user_id, c.channel, c.event.mode) for c in wanted])
    due = {id(c): limits.due_at(wait, now) for c, wait in zip(wanted, waits, strict=True) if wait > 0}
    return [_row(c, facts, refusals.get(id(c)), due.get(id(c)), now) for c in candidates]


def _refusals(candidates: Sequence[Candidate]) -> dict[int, Refusal]:
    """By id() of the candidate: the first rule that is against it. A key is held only by who would hear of it."""
    suppressions = ledger.suppressed((c.event.tenant_id, c.channel, c.address) for c in candidates)
    refusals: dict[int, Refusal] = {}
    for c in candidates:
        if not c.decision.is_allowed:
            refusals[id(c)] = c.decision.rule, c.decision.detail
        elif reason := suppressions.get((c.event.tenant_id, c.channel, c.address)):
            refusals[id(c)] = "address_suppressed", f"This address is suppressed on {c.channel}: {reason}."
    wanted = [c for c in candidates if id(c) not in refusals]
    repeats = deduplication.duplicates((c.event, c.customer.id) for c in wanted)
    for c in wanted:
        if detail := repeats.get((c.event.id, c.customer.id)):
            refusals[id(c)] = "duplicate", detail
    return refusals


def _row(
    c: Candidate, facts: Facts, refusal: Refusal | None, due_at: datetime | None, now: datetime
) -> NewNotification:
    source = _source(c, facts)
    about = _about(c, now)
    if refusal is not None:
        reason, detail = refusal
        return NewNotification(**about, **_named(source), status=Status.SUPPRESSED, reason=reason, detail=detail)
    try:
        source, text = _worded(c, source)
    except TemplateFault as fault:
        detail = f"Template {source.name} version {source.number or 0}: {fault}"
        return NewNotification(**about, **_named(source), status=Status.FAILED, reason="template_error", detail=detail)
    about |= {"subject": text.subject, "body": text.body, "html": text.html, **_named(source)}
    if c.channel in CARRY_PAYLOAD:
        about["payload"] = c.event.payload
    if due_at is not None:
        return NewNotification(**about, status=Status.SCHEDULED, due_at=due_at, reason="recipient_rate_limit")
    return NewNotification(**about, status=Status.QUEUED)


def _about(c: Candidate, now: datetime) -> dict[str, Any]:
    plan = c.event.plan or {}
    return {
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
        "category": plan.get("category", ""),
        "is_critical": plan.get("critical", False),
        "priority": c.event.priority,
        "expires_at": c.event.expires_at,
        "routed_at": now,
    }


def _named(source: Source) -> dict[str, Any]:
    return {"template_name": source.name, "template_version": source.number}


def _source(c: Candidate, facts: Facts) -> Source:
    locales = _versions(c.event).get(c.channel)
    if not locales:
        return built_in(c.channel)
    return facts.sources[templates.nearest(locales, c.customer.locale, c.event.tenant.default_locale)]


def _worded(c: Candidate, source: Source) -> tuple[Source, Rendered]:
    """A starter that the payload does not fill gives way to the built-in layout. Raises TemplateFault."""
    try:
        return source, _rendered(c, source)
    except TemplateFault:
        if not source.is_starter:
            raise
        return built_in(c.channel), _rendered(c, built_in(c.channel))


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
