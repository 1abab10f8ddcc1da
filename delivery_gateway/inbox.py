"""Customers' inboxes: what arrives in them, and what their owners do with it.

Whoever changes an inbox takes its row first, in the order of the customers, and holds it to the end of the
transaction. Versions are thus given in the order of the commits, and no two changes wait for each other in a ring.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from delivery_gateway import inbox_news
from delivery_gateway.models import Inbox, InboxItem, NotificationLog

TABLE = Inbox._meta.db_table
ARRIVE = f"""
    INSERT INTO {TABLE} (customer_id, tenant_id, version, total, unread, unseen) VALUES {{rows}}
    ON CONFLICT (customer_id) DO UPDATE SET
        version = {TABLE}.version + excluded.version, total = {TABLE}.total + excluded.total,
        unread = {TABLE}.unread + excluded.unread, unseen = {TABLE}.unseen + excluded.unseen
    RETURNING customer_id, version
"""  # noqa: S608 - the name comes from the model


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose inbox it is. Every query starts from both."""

    tenant_id: uuid.UUID
    customer_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Marks:
    """What becomes of messages; None leaves a state as it is. Read implies seen, unseen implies unread."""

    read: bool | None = None
    seen: bool | None = None
    archived: bool | None = None


def put(rows: Sequence[NotificationLog], *, now: datetime) -> None:
    """In the caller's transaction, which marks the notifications as sent: both or neither."""
    if not rows:
        return
    mine = [(_owner(row), row) for row in sorted(rows, key=lambda row: row.id)]
    owners = {customer_id: row.tenant_id for customer_id, row in mine}
    next_seq = _arrive(owners, Counter(customer_id for customer_id, _ in mine))
    items = []
    for customer_id, row in mine:
        items.append(_item(row, customer_id, next_seq[customer_id], now))
        next_seq[customer_id] += 1
    InboxItem.objects.bulk_create(items, ignore_conflicts=True)
    inbox_news.tell(owners)


def _owner(row: NotificationLog) -> uuid.UUID:
    assert row.customer_id is not None  # noqa: S101 - in_app goes to customers, and a row under way keeps its own
    return row.customer_id


def _arrive(owners: Mapping[uuid.UUID, uuid.UUID], numbers: Counter[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The first of the versions that each customer's new messages get."""
    customers = sorted(owners)
    values: list[Any] = []
    for customer in customers:
        values += [*_keys(customer, owners[customer]), *[numbers[customer]] * 4]
    with connection.cursor() as cursor:
        cursor.execute(ARRIVE.format(rows=", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(customers))), values)
        versions = {_as_uuid(customer): version for customer, version in cursor.fetchall()}
    return {customer: versions[customer] - numbers[customer] + 1 for customer in customers}


def _keys(customer_id: uuid.UUID, tenant_id: uuid.UUID) -> list[Any]:
    field = Inbox._meta.pk
    return [field.get_db_prep_save(value, connection) for value in (customer_id, tenant_id)]


def _as_uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


def _item(row: NotificationLog, customer_id: uuid.UUID, seq: int, now: datetime) -> InboxItem:
    return InboxItem(
        id=row.id,
        tenant_id=row.tenant_id,
        customer_id=customer_id,
        seq=seq,
        event_type=row.event_type,
        title=row.subject,
        body=row.body,
        payload=row.payload,
        category=row.category,
        created_at=now,
    )


def state_of(owner: Owner) -> Inbox:
    """An empty one for whoever has not been written to."""
    found = Inbox.objects.filter(tenant_id=owner.tenant_id, customer_id=owner.customer_id).first()
    return found or Inbox(tenant_id=owner.tenant_id, customer_id=owner.customer_id)


def items_of(owner: Owner) -> QuerySet[InboxItem]:
    return InboxItem.objects.filter(tenant_id=owner.tenant_id, customer_id=owner.customer_id)


@transaction.atomic
def mark(owner: Owner, items: QuerySet[InboxItem], marks: Marks) -> Inbox:
    """How the inbox stands afterwards. `items` start from `items_of(owner)`; what is so already stays untouched."""
    inbox = Inbox.objects.select_for_update().filter(tenant_id=owner.tenant_id, customer_id=owner.customer_id).first()
    if inbox is None:
        return state_of(owner)
    if _apply(items, marks, timezone.now()):
        _count(inbox, owner)
    return inbox


def _apply(items: QuerySet[InboxItem], marks: Marks, now: datetime) -> int:
    changed = 0
    if marks.seen is False:
        changed += items.filter(Q(seen_at__isnull=False) | Q(read_at__isnull=False)).update(seen_at=None, read_at=None)
    if marks.seen:
        changed += items.filter(seen_at=None).update(seen_at=now)
    if marks.read is False:
        changed += items.filter(read_at__isnull=False).update(read_at=None)
    if marks.read:
        changed += items.filter(read_at=None).update(read_at=now, seen_at=Coalesce("seen_at", now))
    if marks.archived is False:
        changed += items.filter(archived_at__isnull=False).update(archived_at=None)
    if marks.archived:
        changed += items.filter(archived_at=None).update(archived_at=now)
    return changed


def _count(inbox: Inbox, owner: Owner) -> None:
    """Anew, from the messages themselves."""
    inbox.version += 1
    for name, number in (
        items_of(owner)
        .filter(archived_at=None)
        .aggregate(
            total=Count("id"), unread=Count("id", filter=Q(read_at=None)), unseen=Count("id", filter=Q(seen_at=None))
        )
        .items()
    ):
        setattr(inbox, name, number)
    inbox.save(update_fields=("version", "total", "unread", "unseen"))
    inbox_news.tell([owner.customer_id])


@transaction.atomic
def complete(owner: Owner, item_id: uuid.UUID, action: str) -> InboxItem | None:
    """Notes when the action was completed; the first time counts, and it reads the message. None: no such message."""
    inbox = Inbox.objects.select_for_update().filter(tenant_id=owner.tenant_id, customer_id=owner.customer_id).first()
    item = items_of(owner).filter(id=item_id).first() if inbox else None
    if inbox is None or item is None:
        return None
    done = item.actions_done or {}
    if action not in done:
        now = timezone.now()
        item.actions_done = {**done, action: now.isoformat()}
        item.read_at, item.seen_at = item.read_at or now, item.seen_at or now
        item.save(update_fields=("actions_done", "read_at", "seen_at"))
        _count(inbox, owner)
    return item


def states_of(customer_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Inbox]:
    """Of those who have been written to, in one query; for whoever has made sure whose they are."""
    return {inbox.customer_id: inbox for inbox in Inbox.objects.in_scope().filter(customer_id__in=list(customer_ids))}
