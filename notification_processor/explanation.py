"""Why somebody was told of an event, or was not: what the event, its plan and its ledger rows have kept of it."""

import uuid
from dataclasses import dataclass

from delivery_gateway import digests, explaining
from delivery_gateway.explaining import LEFT_OUT, Hit
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.selectors import notifications_of
from notification_processor import events
from notification_processor.audience import TOPIC_ALL
from notification_processor.models import Event
from traffic_control.decisions import sentence
from traffic_control.errors import Problem
from traffic_control.ids import children_of

SENT_TO = "{user} was told on {channels}."
TOLD_NOTHING = "{user} was told nothing."
UNDER_WAY = ("pending", "queued", "sending", "scheduled", "held")
REACHED = ("sent", "delivered")


@dataclass(frozen=True, slots=True)
class Explanation:
    """`left_out`: channels without a row, and why. `event` is None for a send to an address or a customer."""

    event: Event | None
    user_id: str
    rows: list[NotificationLog]
    left_out: list[Hit]
    summary: str


def of_notification(tenant_id: uuid.UUID, notification_id: uuid.UUID) -> Explanation:
    """With the other channels of the same event and customer. Raises Problem 404."""
    row = notifications_of(tenant_id).filter(id=notification_id).first()
    if row is None:
        raise Problem("not_found", f"There is no notification {notification_id}.", status=404)
    if row.event_id and events.of_tenant(tenant_id).filter(id=row.event_id).exists():
        return of_customer(tenant_id, row.event_id, row.user_id)
    return Explanation(None, row.user_id, [row], explaining.left_out([row]), explaining.summary(row))


def of_customer(tenant_id: uuid.UUID, event_id: uuid.UUID, user_id: str) -> Explanation:
    """What one event meant for one customer. Raises Problem 404."""
    event = events.of_tenant(tenant_id).filter(id=event_id).first()
    if event is None:
        raise Problem("not_found", f"There is no event {event_id}.", status=404)
    mine = notifications_of(tenant_id).filter(event_id=event.id, user_id=user_id, id__range=children_of(event.id))
    rows = list(mine.order_by("channel"))
    told = {row.channel for row in rows}
    left_out = [hit for hit in [*explaining.left_out(rows), *not_planned(event)] if hit.channel not in told]
    is_concerned = bool(rows) or is_meant(event, user_id)
    return Explanation(event, user_id, rows, left_out if is_concerned else [], summary(event, user_id, rows))


def not_planned(event: Event) -> list[Hit]:
    """Channels that the workflow or the event itself does not have."""
    planned = (event.plan or {}).get("channels")
    if planned is None:
        return []
    found = []
    for channel in CHANNELS:
        if channel not in planned:
            rule = "not_asked_for" if event.channels and channel not in event.channels else "not_in_workflow"
            found.append(Hit(channel, rule, LEFT_OUT, sentence(rule, channel=channel)))
    return found


def is_meant(event: Event, user_id: str) -> bool:
    return event.topic == TOPIC_ALL or user_id in event.recipients


def summary(event: Event, user_id: str, rows: list[NotificationLog]) -> str:
    """In a sentence for people."""
    user = user_id or "This recipient"
    if not rows:
        return _without_rows(event, user)
    ends = digests.ends_of(rows)
    others = "".join(f" {row.channel}: {explaining.summary(row)}" for row in rows if ends[row.id] not in REACHED)
    if reached := [_way(row) for row in rows if ends[row.id] in REACHED]:
        return SENT_TO.format(user=user, channels=" and ".join(reached)) + others
    if any(end in UNDER_WAY for end in ends.values()):
        return f"{user} was told nothing yet." + others
    return TOLD_NOTHING.format(user=user) + others


def _way(row: NotificationLog) -> str:
    return f"{row.channel} (in a digest)" if row.reason == digests.DIGESTED else row.channel


def _without_rows(event: Event, user: str) -> str:
    plan = event.plan or {}
    if not is_meant(event, user):
        return f"{user} is not among the recipients of this event."
    if event.state == Event.State.ACCEPTED:
        return f"Nothing is decided yet: the event is due at {event.due_at:%Y-%m-%d %H:%M:%S} UTC."
    if event.state == Event.State.GENERATED:
        return f"Nothing is decided yet for {user}: the event is being routed."
    if event.state == Event.State.EXPIRED:
        return "The event expired before it was routed, so nobody was told."
    if event.state == Event.State.FAILED:
        return f"The event could not be processed: {event.error}"
    if plan.get("disabled_by"):
        return f'The workflow for "{event.event_type}" was switched off, so nobody was told.'
    if plan.get("channels") == []:
        return "The event asked for channels that the workflow does not have, so nobody was told."
    if event.topic:
        return f"{user} got nothing: not a customer when the event was routed, or no channel was on with an address."
    return f"{user} got nothing: no channel was on by default and had an address."
