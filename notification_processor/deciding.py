"""What becomes of the recipients of some events: a ledger row for each, or a row that says why not.

Choices, suppressions, quiet hours and limits decide, asked in the order in which they stand here. What is taken by
asking comes from outside (`takings`), so that a dry run can ask the same questions and take nothing.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from delivery_gateway import limits, suppressions
from delivery_gateway.ledger import NewNotification
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from delivery_gateway.suppressions import Suppressions
from notification_processor import context, quiet, templates
from notification_processor.audience import Slice
from notification_processor.defaults import ChannelDefaults, channel_defaults
from notification_processor.models import Event, Workflow
from notification_processor.quiet import Quiet
from notification_processor.rendering import Order, Rendered, Source, TemplateFault
from notification_processor.takings import FOR_GOOD, Takings
from notification_processor.wording import Wording, texts, versions_of
from traffic_control import decisions
from traffic_control.ids import derived_uuid7
from user_preferences import policy, selectors
from user_preferences.models import Customer
from user_preferences.policy import Choices, Decision

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

    outlook: "Outlook"
    customer: Customer
    channel: str
    address: str
    decision: Decision
    record: int

    @property
    def event(self) -> Event:
        return self.outlook.event

    def quiet(self, now: datetime) -> Quiet | None:
        """Why it has to wait, or to be dropped; None when it may go."""
        outlook = self.outlook
        if not self.customer.quiet_hours or outlook.is_critical or outlook.in_quiet_hours == Workflow.QuietHours.IGNORE:
            return None
        keeper = quiet.keeper(self.customer)
        return keeper.quiet(self.channel, now, tenant_zone=outlook.defaults.timezone) if keeper else None


class Outlook:
    """One event's slice: its wording, and what every row of it says alike."""

    def __init__(self, part: Slice, facts: Facts, now: datetime) -> None:
        event, defaults = part.event, facts.defaults[part.event.tenant_id]
        plan = event.plan or {}
        self.event, self.customers, self.defaults = event, part.customers, defaults
        self.channels: list[str] | None = plan.get("channels")
        self.category, self.is_critical = plan.get("category", ""), plan.get("critical", False)
        self.in_quiet_hours = plan.get("quiet", Workflow.QuietHours.HOLD)
        self.held_as = quiet.FOR_DIGEST if self.in_quiet_hours == Workflow.QuietHours.DIGEST else quiet.REASON
        self.wording = Wording(event, facts.sources, tenant=defaults)
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
        known: dict[tuple[int, tuple[bool, ...]], list[tuple[str, Decision, int]]] = {}
        for customer in self.customers:
            choices = facts.choices.get(customer.id, policy.NO_CHOICES)
            addresses = {channel: address_of(customer, channel) for channel in self.channels or CHANNELS}
            alike = id(choices), tuple(map(bool, addresses.values()))
            if alike not in known:
                known[alike] = list(self._decisions(choices, addresses))
            for channel, decision, record in known[alike]:
                yield Candidate(self, customer, channel, addresses[channel], decision, record)

    def _decisions(self, choices: Choices, addresses: dict[str, str]) -> Iterable[tuple[str, Decision, int]]:
        """With each, what is kept of it."""
        defaults, channels, left_out = self.defaults, self.channels, {}
        reachable = {c for c, address in addresses.items() if address or c in defaults.with_own_address}
        if channels is None:
            channels = policy.default_channels(choices, reachable, defaults.choices)
            left_out = policy.left_out(choices, channels, reachable, defaults.choices)
        for channel in channels:
            decision = policy.decide(
                choices,
                channel=channel,
                category=self.category,
                is_critical=self.is_critical,
                tenant_defaults=defaults.choices,
                has_address=channel in reachable,
            )
            yield channel, decision, decisions.packed(decision.rule, left_out, tuple(CHANNELS))


def facts_of(slices: Sequence[Slice]) -> Facts:
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is decided about some recipients before a word is made. Each by id() of the candidate."""

    candidates: list[Candidate]
    refusals: dict[int, Refusal]
    quiet_for: dict[int, Quiet]
    due: dict[int, datetime]  # when a turn comes


def judge(slices: Sequence[Slice], facts: Facts, now: datetime, takings: Takings) -> Judgement:
    """All that decides whether somebody hears of something, and when."""
    outlooks = [Outlook(part, facts, now) for part in slices]
    candidates = [c for outlook in outlooks for c in outlook.candidates(facts)]
    quiet_for = {id(c): found for c in candidates if c.decision.is_allowed and (found := c.quiet(now))}
    refusals = _refusals(candidates, quiet_for, takings)
    wanted = [c for c in candidates if id(c) not in refusals and id(c) not in quiet_for]
    waits = takings.waits([(c.event.tenant_id, c.customer.user_id, c.channel, c.event.mode) for c in wanted])
    due = {id(c): limits.due_at(wait, now) for c, wait in zip(wanted, waits, strict=True) if wait > 0}
    return Judgement(candidates, refusals, quiet_for, due)


def decide(slices: Sequence[Slice], now: datetime, takings: Takings = FOR_GOOD) -> list[NewNotification]:
    """A row for each recipient on each channel of theirs."""
    judged = judge(slices, facts_of(slices), now, takings)
    refusals, heard = judged.refusals, [c for c in judged.candidates if id(c) not in judged.refusals]
    said = dict(zip(map(id, heard), texts([_order(c) for c in heard], takings.effort), strict=True))
    return [
        _row(c, *said[id(c)], judged.due.get(id(c)) or judged.quiet_for.get(id(c)))
        if id(c) in said
        else _refused_row(c, refusals[id(c)])
        for c in judged.candidates
    ]


def _refusals(candidates: Sequence[Candidate], quiet_for: Mapping[int, Quiet], takings: Takings) -> dict[int, Refusal]:
    """By id() of the candidate: the first rule that is against it. A key is held only by who would hear of it."""
    suppressed = suppressions.among((c.event.tenant_id, c.channel, c.address) for c in candidates)
    refusals: dict[int, Refusal] = {}
    for c in candidates:
        if not c.decision.is_allowed:
            refusals[id(c)] = c.decision.rule, c.decision.detail
        elif reason := _suppressed(c, suppressed):
            refusals[id(c)] = "address_suppressed", f"This address is suppressed on {c.channel}: {reason}."
        elif id(c) in quiet_for and c.outlook.in_quiet_hours == Workflow.QuietHours.DROP:
            refusals[id(c)] = quiet.REASON, quiet_for[id(c)].detail
    wanted = [c for c in candidates if id(c) not in refusals]
    repeats = takings.repeats((c.event, c.customer.id) for c in wanted)
    for c in wanted if repeats else ():
        if detail := repeats.get((c.event.id, c.customer.id)):
            refusals[id(c)] = "duplicate", detail
    return refusals


def _suppressed(c: Candidate, known: Suppressions) -> str:
    address, outlook = (c.event.tenant_id, c.channel, c.address), c.outlook
    return known.against(address, category=outlook.category, is_critical=outlook.is_critical)


def _order(c: Candidate) -> Order:
    wording = c.outlook.wording
    source = wording.source(c.channel, c.customer)
    has_link = context.has_link(source.text, c.event.mode)
    return wording.order(source, context.about(c.customer, has_link=has_link))


def _about(c: Candidate, source: Source) -> dict[str, Any]:
    return c.outlook.alike | {
        "id": derived_uuid7(c.event.id, str(c.customer.id), c.channel),
        "channel": c.channel,
        "user_id": c.customer.user_id,
        "customer_id": c.customer.id,
        "to": c.address,
        "decision": c.record,
        "template_name": source.name,
        "template_version": source.number,
    }


def _refused_row(c: Candidate, refusal: Refusal) -> NewNotification:
    reason, detail = refusal
    about = _about(c, c.outlook.wording.source(c.channel, c.customer))
    return NewNotification(**about, status=Status.SUPPRESSED, reason=reason, detail=detail)


def _row(
    c: Candidate, source: Source, text: Rendered | TemplateFault, wait: datetime | Quiet | None
) -> NewNotification:
    about = _about(c, source)
    if isinstance(text, TemplateFault):
        detail = f"Template {source.name} version {source.number or 0}: {text}"
        return NewNotification(**about, status=Status.FAILED, reason="template_error", detail=detail)
    about |= {"subject": text.subject, "body": text.body, "html": text.html}
    if c.channel in CARRY_PAYLOAD:
        about["payload"] = c.event.payload
    if wait is None:
        return NewNotification(**about, status=Status.QUEUED)
    reason = c.outlook.held_as if isinstance(wait, Quiet) else limits.REASON
    about |= {"status": Status.SCHEDULED, "reason": reason, "decision": decisions.delayed(c.record, reason)}
    if isinstance(wait, Quiet):  # not routed yet: what is to become of it is decided when they are over
        return NewNotification(**about | {"routed_at": None}, due_at=wait.due_at, detail=wait.told(reason))
    return NewNotification(**about, due_at=wait)
