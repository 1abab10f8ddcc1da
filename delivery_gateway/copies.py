"""Which notifications are copies of which."""

import uuid
from collections.abc import Iterable

from django.db.models import Q

from delivery_gateway.models import NotificationCopy, NotificationLog


def keep(copy_id: uuid.UUID, *, of: NotificationLog, kind: NotificationCopy.Kind, made_by: str) -> None:
    NotificationCopy.objects.create(
        id=copy_id, tenant_id=of.tenant_id, original_id=of.id, kind=kind, made_by=made_by[:200]
    )


def around(row: NotificationLog) -> list[NotificationCopy]:
    """Of what the row is a copy, and its own copies, oldest first. One query."""
    about = NotificationCopy.objects.filter(tenant_id=row.tenant_id).filter(Q(id=row.id) | Q(original_id=row.id))
    return list(about.order_by("id")[:50])


def with_copies(tenant_id: uuid.UUID, originals: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """These notifications, and the copies of them, which say the same."""
    ids = set(originals)
    if not ids:
        return []
    copied = NotificationCopy.objects.filter(tenant_id=tenant_id, original_id__in=ids).values_list("id", flat=True)
    return [*ids, *set(copied) - ids]
