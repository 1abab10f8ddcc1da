"""Takes the words out of ledger rows and leaves the skeleton: what was sent when, on which channel, and how it ended.

A row that is cleared has no address, no text and nothing that a provider said; its dead letter cannot be sent again.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from delivery_gateway.models import Attempt, DeadLetter, NotificationLog, ProviderEvent, SandboxMessage
from delivery_gateway.states import TERMINAL
from tenants.retention import Window

CONTENT: dict[str, Any] = {
    "to": "", "subject": "", "body": "", "html": "", "payload": None, "detail": "", "provider_response": "",
}  # fmt: skip
HAS_CONTENT = ~Q(to="", subject="", body="", html="", payload__isnull=True, detail="", provider_response="")
WINDOW = 500
KIND = "notifications"


def clear(ids: Collection[uuid.UUID], *, now: datetime | None = None, **also: Any) -> int:
    """In the caller's transaction. `also`: further columns of the ledger and what they become."""
    if not ids:
        return 0
    cleared = NotificationLog.objects.in_scope().filter(id__in=ids).update(**CONTENT, **also)
    Attempt.objects.in_scope().filter(notification_id__in=ids).exclude(detail="").update(detail="")
    ProviderEvent.objects.in_scope().filter(notification_id__in=ids).exclude(detail="").update(detail="")
    letters = DeadLetter.objects.in_scope().filter(notification_id__in=ids, cleared_at=None)
    letters.update(reason="", discard_reason="", cleared_at=now or timezone.now())
    SandboxMessage.objects.in_scope().filter(id__in=ids).delete()
    return cleared


def clear_window(tenant_id: uuid.UUID, after: uuid.UUID, before: uuid.UUID) -> Window:
    """The tenant's next rows between these ids: for `tenants.retention.sweep`."""
    between = NotificationLog.objects.filter(tenant_id=tenant_id, id__gt=after, id__lt=before).order_by("id")
    rows = list(between.values_list("id", "status")[:WINDOW])
    finished = [row_id for row_id, status in rows if status in TERMINAL]
    stale = NotificationLog.objects.filter(HAS_CONTENT, id__in=finished, status__in=TERMINAL)
    # Whoever replays a dead letter meanwhile waits here, and then finds it cleared.
    ids = list(stale.select_for_update().order_by("id").values_list("id", flat=True)) if finished else []
    unfinished = frozenset(row_id for row_id, _ in rows) - set(finished)
    return Window([row_id for row_id, _ in rows], unfinished, clear(ids))
