"""Whether each recipient of a routed event has its rows. Who had no channel to be reached on has none, and rightly."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from delivery_gateway.models import NotificationLog
from monitoring.ledger_audit.facts import one_moment
from monitoring.ledger_audit.findings import EXAMPLES, Finding
from notification_processor.audience import TOPIC_ALL
from notification_processor.models import Event
from user_preferences.models import Customer

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Routed:
    """A completed event. `plan` names the channels of everybody, or None where each customer's choices do."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    topic: str
    recipients: list[str]
    plan: dict[str, Any] | None
    received_at: datetime

    @property
    def channels(self) -> set[str]:
        return set((self.plan or {}).get("channels") or ())


COLUMNS = tuple(field.name for field in fields(Routed))


@dataclass(frozen=True, slots=True)
class Judged:
    """Some events: how many were looked at, and what is missing."""

    count: int
    findings: list[Finding]


def batches(after: uuid.UUID | None = None) -> Iterator[Judged]:
    """Every completed event after that id."""
    while True:
        with one_moment():
            events = _completed_after(after)
            findings = _missing(events)
        if not events:
            return
        yield Judged(len(events), findings)
        after = events[-1].id


def unfinished(after: uuid.UUID | None, *, now: datetime) -> Iterator[Finding]:
    """Events whose time has come and that are not routed yet."""
    waiting = Event.objects.filter(state__in=(Event.State.ACCEPTED, Event.State.GENERATED), due_at__lte=now)
    if after is not None:
        waiting = waiting.filter(id__gt=after)
    for event_id, state in waiting.values_list("id", "state").order_by("id").iterator():
        yield Finding("unfinished", event_id, f"the event is still {state}")


def _completed_after(after: uuid.UUID | None) -> list[Routed]:
    events = Event.objects.filter(state=Event.State.COMPLETED).order_by("id")
    if after is not None:
        events = events.filter(id__gt=after)
    return [Routed(*values) for values in events.values_list(*COLUMNS)[:BATCH]]


def _missing(events: Sequence[Routed]) -> list[Finding]:
    planned = [event for event in events if event.channels]
    listed = [event for event in planned if event.topic != TOPIC_ALL]
    findings = [finding for event in planned if event.topic == TOPIC_ALL for finding in _missing_of_topic(event)]
    there = _rows_of(listed)
    for event in listed:
        wanted = {(user_id, channel) for user_id in event.recipients for channel in event.channels}
        findings += [_finding(event, *missing) for missing in sorted(wanted - there[event.id])]
    return findings


def _rows_of(events: Sequence[Routed]) -> dict[uuid.UUID, set[tuple[str, str]]]:
    there: dict[uuid.UUID, set[tuple[str, str]]] = defaultdict(set)
    rows = NotificationLog.objects.filter(event_id__in=[event.id for event in events])
    for event_id, user_id, channel in rows.values_list("event_id", "user_id", "channel").iterator():
        if event_id is not None:
            there[event_id].add((user_id, channel))
    return there


def _missing_of_topic(event: Routed) -> Iterator[Finding]:
    """Customers who came after the event need not hear of it. The database joins: they may be a million."""
    known = Customer.objects.filter(tenant_id=event.tenant_id, created_at__lt=event.received_at)
    for channel in sorted(event.channels):
        row = NotificationLog.objects.filter(event_id=event.id, customer_id=OuterRef("id"), channel=channel)
        missing = known.filter(~Exists(row)).order_by()
        if number := missing.count():
            for user_id in missing.values_list("user_id", flat=True)[: EXAMPLES + 1]:
                yield _finding(event, user_id, f"{channel}; {number} in all")


def _finding(event: Routed, user_id: str, channel: str) -> Finding:
    return Finding("recipient_without_row", event.id, f"nothing for {user_id} on {channel}")
