"""What the ledger and what hangs on it keep about a person."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from delivery_gateway import clearing, copies, counters, suppressions
from delivery_gateway.models import Attempt, DeadLetter, Inbox, InboxItem, NotificationLog, ProviderEvent, Suppression
from delivery_gateway.states import Status, sources_of
from traffic_control.ids import uuid7_at
from traffic_control.people import Holding, Person, Rows, Step

WINDOW = 2_000
REASON = "erased"
NOBODY: dict[str, Any] = {"user_id": "", "customer_id": None, "provider_message_id": ""}
FIELDS = (
    "id", "created_at", "event_type", "event_id", "user_id", "channel", "to", "subject", "body", "html", "payload",
    "status", "reason", "detail", "sent_at", "provider", "provider_message_id", "provider_response",
)  # fmt: skip
CANCELLABLE = tuple(sources_of(Status.CANCELLED))


def rows_of(person: Person) -> models.QuerySet[NotificationLog]:
    """By name, by customer, and what went to one of the addresses without naming anybody."""
    about = Q(address__in=[address.lower() for _, address in person.addresses])
    if person.user_id:
        about |= Q(user_id=person.user_id)
    if person.customer_id:
        about |= Q(customer_id=person.customer_id)
    return NotificationLog.objects.filter(tenant_id=person.tenant_id).alias(address=Lower("to")).filter(about)


def export(person: Person) -> Rows:
    ids = []
    for row in rows_of(person).order_by("id").values(*FIELDS).iterator():
        ids.append(row["id"])
        yield "notifications", row
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        for kind, model in (("attempts", Attempt), ("provider_events", ProviderEvent), ("dead_letters", DeadLetter)):
            for row in model.objects.in_scope().filter(notification_id__in=some).order_by("id").values():
                yield kind, row
    for row in _inbox_of(person).order_by("id").values():
        yield "inbox", row
    for row in Suppression.objects.filter(tenant_id=person.tenant_id, address_hash__in=_hashes(person)).values():
        yield "suppressions", row


def _inbox_of(person: Person) -> models.QuerySet[InboxItem]:
    if person.customer_id is None:
        return InboxItem.objects.none()
    return InboxItem.objects.filter(tenant_id=person.tenant_id, customer_id=person.customer_id)


def _hashes(person: Person) -> list[str]:
    return [suppressions.address_hash(person.tenant_id, address) for _, address in person.addresses]


def at_once(person: Person) -> None:
    """Nothing that waits is sent any more, and what the person declined stays declined, by the hash of the address."""
    for channel, address, category in person.declined:
        digest, scope = suppressions.address_hash(person.tenant_id, address), category or suppressions.NOT_CRITICAL
        suppressions.add(person.tenant_id, channel, digest, scope=scope, reason="unsubscribed")
    waiting = rows_of(person).filter(status__in=CANCELLABLE)
    rows = _locked(waiting, list(waiting.values_list("id", flat=True)))
    _cancel([row for row in rows if row.status in CANCELLABLE])


def _locked(rows: models.QuerySet[NotificationLog], ids: list[uuid.UUID]) -> list[NotificationLog]:
    found = NotificationLog.objects.in_scope().filter(id__in=ids).select_for_update().order_by("id")
    return list(found.only("id", "tenant_id", "channel", "mode", "routed_at", "status"))


def _cancel(rows: list[NotificationLog]) -> None:
    if rows:
        stopped = NotificationLog.objects.in_scope().filter(id__in=[row.id for row in rows])
        stopped.update(status=Status.CANCELLED, reason=REASON, due_at=None)
        counters.stopped(rows, Status.CANCELLED)


def step(person: Person, cursor: str) -> Step:
    """The tenant's next ids: cancels and clears what is the person's. A row that is being sent is waited for."""
    after = uuid.UUID(cursor or str(uuid.UUID(int=0)))
    last = uuid7_at(person.until + timedelta(seconds=1))
    ids = NotificationLog.objects.filter(tenant_id=person.tenant_id, id__gt=after, id__lt=last).order_by("id")
    bound = ids.values_list("id", flat=True)[WINDOW - 1 : WINDOW].first() or last
    mine = rows_of(person).filter(id__gt=after, id__lte=bound)
    rows = _locked(mine, copies.with_copies(person.tenant_id, mine.values_list("id", flat=True)))
    flying = [row for row in rows if row.status == Status.SENDING]
    done = [row.id for row in rows if row.status != Status.SENDING]
    InboxItem.objects.in_scope().filter(id__in=done).delete()
    clearing.clear(done, **NOBODY)
    _cancel([row for row in rows if row.status in CANCELLABLE])
    if flying:
        return Step(cursor, must_wait=True)
    if bound != last:
        return Step(str(bound))
    if person.customer_id is not None:
        Inbox.objects.filter(tenant_id=person.tenant_id, customer_id=person.customer_id).delete()  # first, as all do
    _inbox_of(person).delete()
    return Step(None)


HOLDING = Holding(name="notifications", export=export, at_once=at_once, step=step)
