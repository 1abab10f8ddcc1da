"""Takes the payloads out of old events, and leaves what happened when, and whom it was for."""

import uuid

from notification_processor.models import Event
from tenants.retention import Window

KIND = "events"
WINDOW = 500
UNFINISHED = (Event.State.ACCEPTED, Event.State.GENERATED)


def clear_window(tenant_id: uuid.UUID, after: uuid.UUID, before: uuid.UUID) -> Window:
    """The tenant's next events between these ids: for `tenants.retention.sweep`."""
    between = Event.objects.filter(tenant_id=tenant_id, id__gt=after, id__lt=before).order_by("id")
    rows = list(between.values_list("id", "state")[:WINDOW])
    finished = [event_id for event_id, state in rows if state not in UNFINISHED]
    stale = Event.objects.filter(id__in=finished).exclude(payload={})
    unfinished = frozenset(event_id for event_id, _ in rows) - set(finished)
    return Window([event_id for event_id, _ in rows], unfinished, stale.update(payload={}))
