"""What would reach a customer now: for every workflow and channel the answer, and the rule that gives it.

Asked of the generator and the router themselves, about events that are not stored. What depends on an event's payload
(its words, a repeat of the same thing) has no answer before there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils import timezone

from delivery_gateway import limits
from delivery_gateway.explaining import ALLOWED, DELAYED, LEFT_OUT, REFUSED, Hit
from delivery_gateway.registry import CHANNELS
from notification_processor import deciding, explanation, generation, quiet
from notification_processor.audience import Slice
from notification_processor.deciding import Candidate, Judgement
from notification_processor.models import Event, Workflow
from notification_processor.quiet import Quiet
from notification_processor.takings import Takings
from traffic_control import decisions
from traffic_control.decisions import sentence
from traffic_control.ids import uuid7
from user_preferences.models import Customer

SHOWN = 200  # workflows
OFF = Hit("", "workflow_off", REFUSED, "The workflow is switched off: nobody is told.")
NOWHERE = "No channel that has an address is on for this customer."


@dataclass(frozen=True, slots=True)
class Answers:
    """Of one workflow, or of an event that none describes: a hit for each channel, in their order."""

    workflow: Workflow | None
    hits: list[Hit]


@dataclass(frozen=True, slots=True)
class Reach:
    """`quiet`: the customer's quiet hours, when they hold now."""

    answers: list[Answers]
    quiet: Quiet | None
    has_more: bool


def of_customer(customer: Customer, *, now: datetime | None = None) -> Reach:
    now = now or timezone.now()
    found = list(Workflow.objects.filter(tenant_id=customer.tenant_id).order_by("event_type")[: SHOWN + 1])
    asked: list[tuple[Workflow | None, Event]] = [(one, _event(customer, one, now)) for one in [*found[:SHOWN], None]]
    slices = [Slice(event, (customer,), "", is_last=True) for _, event in asked if event.state == Event.State.GENERATED]
    facts = deciding.facts_of(slices)
    takings = Takings(repeats=lambda told: {}, waits=partial(limits.waits_ahead, at=now))
    judged = deciding.judge(slices, facts, now, takings)
    own: dict[object, list[Candidate]] = {event.id: [] for _, event in asked}
    for candidate in judged.candidates:
        own[candidate.event.id].append(candidate)
    answers = [Answers(workflow, _hits(event, own[event.id], judged)) for workflow, event in asked]
    zone = facts.defaults[customer.tenant_id].timezone
    return Reach(answers, _quiet_now(customer, now, zone), has_more=len(found) > SHOWN)


def _event(customer: Customer, workflow: Workflow | None, now: datetime) -> Event:
    """As it would be planned; nobody looks at its words, so no templates are looked up."""
    event = Event(
        id=uuid7(),
        tenant_id=customer.tenant_id,
        event_type=workflow.event_type if workflow else "",
        recipients=[customer.user_id],
        occurred_at=now,
        due_at=now,
        received_at=now,
    )
    generation.plan_as(event, workflow, {}, now=now)
    return event


def _hits(event: Event, candidates: Sequence[Candidate], judged: Judgement) -> list[Hit]:
    if event.state != Event.State.GENERATED:
        return [Hit(channel, OFF.rule, OFF.outcome, OFF.detail) for channel in CHANNELS]
    decided = {c.channel: _hit(c, judged) for c in candidates}
    decided |= {hit.channel: hit for hit in explanation.not_planned(event)}
    for c in candidates[:1]:
        for channel, rule in decisions.unpacked(c.record, CHANNELS).left_out.items():
            decided[channel] = Hit(channel, rule, LEFT_OUT, sentence(rule, channel=channel, is_on=False))
    return [decided.get(channel) or Hit(channel, "no_channel", LEFT_OUT, NOWHERE) for channel in CHANNELS]


def _hit(c: Candidate, judged: Judgement) -> Hit:
    """The first rule that is against it, else what delays it, else what allows it."""
    if refusal := judged.refusals.get(id(c)):
        return Hit(c.channel, refusal[0], REFUSED, refusal[1])
    if found := judged.quiet_for.get(id(c)):
        held_as = c.outlook.held_as
        return Hit(c.channel, held_as, DELAYED, found.told(held_as), found.due_at)
    if due_at := judged.due.get(id(c)):
        return Hit(c.channel, limits.REASON, DELAYED, sentence(limits.REASON, channel=c.channel), due_at)
    return Hit(c.channel, c.decision.rule, ALLOWED, c.decision.detail)


def _quiet_now(customer: Customer, now: datetime, tenant_zone: str) -> Quiet | None:
    """On the first channel that they cover."""
    keeper = quiet.keeper(customer)
    found = (keeper.quiet(channel, now, tenant_zone=tenant_zone) for channel in CHANNELS) if keeper else ()
    return next((one for one in found if one), None)
