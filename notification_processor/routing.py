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
from django.db.models import Exists, OuterRef, QuerySet

from delivery_gateway import ledger, limits, suppressions
from delivery_gateway.ledger import NewNotification
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from delivery_gateway.suppressions import Suppressions
from notification_processor import context, deduplication, templates
from notification_processor.audience import Slice, next_slices
from notification_processor.defaults import ChannelDefaults, channel_defaults
from notification_processor.models import Event
from notification_processor.rendering import Source, TemplateFault
from notification_processor.wording import Wording, versions_of
from tenants.models import Tenant
from traffic_control.crash_points import Point, crash_point
from traffic_control.fair_queue import AllTurns, Queue
from traffic_control.ids import derived_uuid7
from user_preferences import policy, selectors
from user_preferences.models import Customer
from user_preferences.policy import Choices, Decision

log = logging.getLogger(__name__)

BATCH = 500  # events a transaction
CARRY_PAYLOAD = frozenset({"webhook", "in_app"})
# Of tenants who are still there: nothing in the database keeps a tenant with events from being removed.
HAS_TENANT = f"EXISTS (SELECT 1 FROM {Tenant._meta.db_table} AS tenant WHERE tenant.id = w.tenant_id)"  # noqa: S608
GENERATED = Queue(Event._meta.db_table, waiting="state = 'generated'", order="id", taken_if=HAS_TENANT)
TURNS = AllTurns()
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

    outlook: "Outlook"
    customer: Customer
    channel: str
    address: str
    decision: Decision

    @property
    def event(self) -> Event:
        return self.outlook.event


class Outlook:
    """One event's slice: its wording, and what every row of it says alike."""

    def __init__(self, part: Slice, facts: Facts, now: datetime) -> None:
        event, defaults = part.event, facts.defaults[part.event.tenant_id]
        plan = event.plan or {}
        self.event, self.customers, self.defaults = event, part.customers, defaults
        self.channels: list[str] | None = plan.get("channels")
        self.category, self.is_critical = plan.get("category", ""), plan.get("critical", False)
        self.wording = Wording(event, facts.sources, tenant=defaults, people=len(part.customers))
        self.alike: dict[str, Any] = {
            "tenant_id": event.tenant_id,
            "created_at": now,
            "mode": event.mode,
            "event_id": event.id,
            "event_type": event.event_type,
            "category": self.category,
            "is_critical": self.is_critical,
            "priority": event.priority,
            "expires_at": event.expires_at,
            "routed_at": now,
        }

    def candidates(self, facts: Facts) -> Iterable[Candidate]:
        """Customers who chose alike and are reached alike share their decisions."""
        known: dict[tuple[int, tuple[bool, ...]], list[tuple[str, Decision]]] = {}
        for customer in self.customers:
            choices = facts.choices.get(customer.id, policy.NO_CHOICES)
            addresses = {channel: address_of(customer, channel) for channel in self.channels or CHANNELS}
            alike = id(choices), tuple(map(bool, addresses.values()))
            if alike not in known:
                known[alike] = list(self._decisions(choices, addresses))
            for channel, decision in known[alike]:
                yield Candidate(self, customer, channel, addresses[channel], decision)

    def _decisions(self, choices: Choices, addresses: dict[str, str]) -> Iterable[tuple[str, Decision]]:
        defaults, channels = self.defaults, self.channels
        reachable = {c for c, address in addresses.items() if address or c in defaults.with_own_address}
        if channels is None:
            channels = policy.default_channels(choices, reachable, defaults.choices)
        for channel in channels:
            decision = policy.decide(
                choices,
                channel=channel,
                category=self.category,
                is_critical=self.is_critical,
                tenant_defaults=defaults.choices,
                has_address=channel in reachable,
            )
            yield channel, decision


def route(*, now: datetime) -> bool:
    """Routes one batch of generated events; whether there may be more to do at once."""
    with transaction.atomic():
        events = TURNS.take(_generated(), GENERATED, BATCH)
        if not events:
            return False
        slices = next_slices(events)
        opened = _rows(slices, now)
        ledger.open_rows(opened, may_exist=True)
        crash_point(Point.ROWS_OPENED)
        _advance(slices, now)
        crash_point(Point.CURSOR_MOVED)
    crash_point(Point.SLICE_ROUTED)
    log.info("routed events to notifications", extra={"stage": "route", "count": len(opened)})
    return len(events) == BATCH or len(slices) < len(events) or not all(s.is_last for s in slices)


def _generated() -> QuerySet[Event]:
    """As GENERATED says."""
    return Event.objects.filter(Exists(Tenant.objects.filter(id=OuterRef("tenant_id"))), state=Event.State.GENERATED)


def _advance(slices: Sequence[Slice], now: datetime) -> None:
    """Events that come to stand alike, as those with one recipient each do, move together."""
    together: dict[tuple[str, bool], list[uuid.UUID]] = {}
    for part in slices:
        together.setdefault((part.cursor, part.is_last), []).append(part.event.id)
    for (cursor, is_last), ids in together.items():
        state, completed_at = (Event.State.COMPLETED, now) if is_last else (Event.State.GENERATED, None)
        Event.objects.filter(id__in=ids).update(state=state, cursor=cursor, completed_at=completed_at)


def _facts(slices: Sequence[Slice]) -> Facts:
    customer_ids = [c.id for s in slices for c in s.customers]
    pinned = {v for s in slices for locales in versions_of(s.event).values() for v in locales.values()}
    return Facts(
        choices=selectors.choices_of(customer_ids, channels=_planned_channels(slices)),
        defaults=channel_defaults({s.event.tenant_id for s in slices}),
        sources=templates.sources(pinned),
    )


def _planned_channels(slices: Sequence[Slice]) -> set[str] | None:
    """None when the customers' choices name the channels of an event."""
    plans = [(s.event.plan or {}).get("channels") for s in slices]
    return None if None in plans else {channel for channels in plans for channel in channels or ()}


def address_of(customer: Customer, channel: str) -> str:
    if channel == "in_app":
        return customer.user_id
    return customer.email if channel == "email" else str(customer.addresses.get(channel) or "")


def _rows(slices: Sequence[Slice], now: datetime) -> list[NewNotification]:
    facts = _facts(slices)
    outlooks = [Outlook(part, facts, now) for part in slices]
    candidates = [c for outlook in outlooks for c in outlook.candidates(facts)]
    refusals = _refusals(candidates)
    wanted = [c for c in candidates if id(c) not in refusals]
    waits = limits.waits_for([(c.event.tenant_id, c.customer.user_id, c.channel, c.event.mode) for c in wanted])
    due = {id(c): limits.due_at(wait, now) for c, wait in zip(wanted, waits, strict=True) if wait > 0}
    return [_row(c, refusals.get(id(c)), due.get(id(c))) for c in candidates]


def _refusals(candidates: Sequence[Candidate]) -> dict[int, Refusal]:
    """By id() of the candidate: the first rule that is against it. A key is held only by who would hear of it."""
    suppressed = suppressions.among((c.event.tenant_id, c.channel, c.address) for c in candidates)
    refusals: dict[int, Refusal] = {}
    for c in candidates:
        if not c.decision.is_allowed:
            refusals[id(c)] = c.decision.rule, c.decision.detail
        elif reason := _suppressed(c, suppressed):
            refusals[id(c)] = "address_suppressed", f"This address is suppressed on {c.channel}: {reason}."
    wanted = [c for c in candidates if id(c) not in refusals]
    repeats = deduplication.duplicates((c.event, c.customer.id) for c in wanted)
    for c in wanted if repeats else ():
        if detail := repeats.get((c.event.id, c.customer.id)):
            refusals[id(c)] = "duplicate", detail
    return refusals


def _suppressed(c: Candidate, known: Suppressions) -> str:
    address, outlook = (c.event.tenant_id, c.channel, c.address), c.outlook
    return known.against(address, category=outlook.category, is_critical=outlook.is_critical)


def _row(c: Candidate, refusal: Refusal | None, due_at: datetime | None) -> NewNotification:
    outlook = c.outlook
    about = outlook.alike | {
        "id": derived_uuid7(c.event.id, str(c.customer.id), c.channel),
        "channel": c.channel,
        "user_id": c.customer.user_id,
        "customer_id": c.customer.id,
        "to": c.address,
    }
    source = outlook.wording.source(c.channel, c.customer)
    if refusal is not None:
        reason, detail = refusal
        return NewNotification(**about, **_named(source), status=Status.SUPPRESSED, reason=reason, detail=detail)
    try:
        source, text = outlook.wording.render(source, context.about(c.customer))
    except TemplateFault as fault:
        detail = f"Template {source.name} version {source.number or 0}: {fault}"
        return NewNotification(**about, **_named(source), status=Status.FAILED, reason="template_error", detail=detail)
    about |= {"subject": text.subject, "body": text.body, "html": text.html, **_named(source)}
    if c.channel in CARRY_PAYLOAD:
        about["payload"] = c.event.payload
    if due_at is not None:
        return NewNotification(**about, status=Status.SCHEDULED, due_at=due_at, reason="recipient_rate_limit")
    return NewNotification(**about, status=Status.QUEUED)


def _named(source: Source) -> dict[str, Any]:
    return {"template_name": source.name, "template_version": source.number}
