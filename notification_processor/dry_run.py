"""What would become of a request, by the code that would do it, and without a trace.

It asks the generator and the router themselves. Only what they take by asking (keys of events, turns under a limit,
customers who are new) is looked at here instead of taken.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.utils import timezone

from delivery_gateway import ledger, limits
from delivery_gateway.ledger import NewNotification
from delivery_gateway.states import Status
from notification_processor import deciding, deduplication, direct, direct_routing, events, generation
from notification_processor.audience import Known, Taken, next_slices
from notification_processor.direct import DirectSend
from notification_processor.events import NewEvent
from notification_processor.models import Event
from notification_processor.renderer_jobs import at_once
from notification_processor.takings import Takings
from tenants.models import Tenant
from user_preferences import customers
from user_preferences.customers import RecipientInput

SHOWN = 100  # recipients; the answer has a rendered text for each of their channels


@dataclass(frozen=True, slots=True)
class Forecast:
    """`event` is not stored, unless it is the one that the request would repeat. `has_more`: recipients."""

    event: Event
    rows: list[NewNotification]
    is_duplicate: bool = False
    has_more: bool = False


def of_event(tenant: Tenant, mode: str, new: NewEvent) -> Forecast:
    """For the first SHOWN recipients. Raises the Problem that accepting it would raise."""
    accepted = events.imagined(tenant, mode, new)
    if accepted.problem:
        raise accepted.problem
    event = accepted.event
    if accepted.is_duplicate:
        return Forecast(event, [], is_duplicate=True)
    then = max(event.due_at, timezone.now())
    generation.plan(event, now=then)
    if event.state != Event.State.GENERATED:
        return Forecast(event, [])
    slices = next_slices([event], budget=SHOWN, introduce=partial(_imagined, new.inline))
    waits = partial(limits.waits_ahead, at=then)
    takings = Takings(repeats=deduplication.duplicates_ahead, waits=waits, effort=at_once(SHOWN))
    rows = deciding.decide(slices, then, takings)
    return Forecast(event, [_at(row, then) for row in rows], has_more=not slices[0].is_last)


def of_send(tenant: Tenant, mode: str, wanted: DirectSend) -> NewNotification:
    """Raises the Problem that sending it would raise."""
    new = direct.make_ready(tenant, mode, wanted).new
    then = new.due_at or new.created_at
    row = ledger.row_of(new)
    (verdict,) = direct_routing.decide([row], then, partial(limits.waits_ahead, at=then))
    told = replace(
        new,
        status=verdict.status,
        reason=verdict.reason,
        detail=verdict.detail,
        due_at=verdict.due_at,
        decision=verdict.decision,
    )
    return _at(told, then)


def _imagined(inline: tuple[RecipientInput, ...], taken: Taken) -> Known:
    """As the request would describe them first."""
    found: Known = {}
    for event, user_ids, _ in taken:
        described = [RecipientInput(user_id=user_id) for user_id in user_ids]
        described += [recipient for recipient in inline if recipient.user_id in set(user_ids)]
        found.setdefault(event.tenant_id, {}).update(customers.imagined(event.tenant, described))
    return found


def _at(row: NewNotification, then: datetime) -> NewNotification:
    """What is to be sent later waits until then."""
    if row.status == Status.QUEUED and then > timezone.now():
        return replace(row, status=Status.SCHEDULED, due_at=then, reason="send_at")
    return row
