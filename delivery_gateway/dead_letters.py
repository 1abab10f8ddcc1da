"""What failed for good: one letter per notification, and the way back."""

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from delivery_gateway import counters, ledger
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.selectors import waiting
from delivery_gateway.states import Status
from traffic_control import audit
from traffic_control.crash_points import Point, crash_point
from traffic_control.ids import uuid7


def open_letters(rows: Sequence[NotificationLog]) -> None:
    """One letter for each failed row; a row that failed again after a replay has its letter opened again."""
    now = timezone.now()
    letters = [
        DeadLetter(
            id=uuid7(),
            tenant_id=row.tenant_id,
            notification_id=row.id,
            channel=row.channel,
            code=row.error_code or row.reason,
            reason=row.detail or row.reason,
            retry_count=max(0, row.attempts - 1),
            created_at=now,
        )
        for row in rows
    ]
    DeadLetter.objects.bulk_create(
        letters,
        update_conflicts=True,
        unique_fields=["notification"],
        update_fields=["code", "reason", "retry_count", "created_at", "replayed_at"],
    )


def replay(letters: QuerySet[DeadLetter], *, limit: int = 1_000) -> int:
    """Sends the failed notifications of these letters again, with a fresh schedule; how many. Safe to repeat."""
    with transaction.atomic():
        rows = send_again(letters, limit=limit)
        for tenant_id in sorted({row.tenant_id for row in rows}):
            _note(tenant_id, [row.id for row in rows if row.tenant_id == tenant_id])
        crash_point(Point.LETTERS_REPLAYED)
    crash_point(Point.REPLAY_DONE)
    return len(rows)


def send_again(letters: QuerySet[DeadLetter], *, limit: int, job_id: uuid.UUID | None = None) -> list[NotificationLog]:
    """As `replay`, in the caller's transaction and without a note in the audit log; the notifications."""
    ids: list[uuid.UUID] = list(waiting(letters).order_by("id").values_list("notification_id", flat=True)[:limit])
    failed = NotificationLog.objects.in_scope().select_for_update().filter(id__in=ids, status=Status.FAILED)
    locked = list(failed.order_by("id").only("id", "lane", "tenant_id", "channel", "mode"))
    # Asked when the rows are locked: whoever cleared or put them away meanwhile has said so by now.
    closed = DeadLetter.objects.in_scope().filter(notification_id__in=ids).exclude(cleared_at=None, discarded_at=None)
    kept_back = set(closed.values_list("notification_id", flat=True))
    rows = [row for row in locked if row.id not in kept_back]
    mine = [row.id for row in rows]
    NotificationLog.objects.in_scope().filter(id__in=mine).update(
        status=Status.QUEUED, attempts=0, crashes=0, reason="replayed", detail="", error_class="", error_code=""
    )
    DeadLetter.objects.in_scope().filter(notification_id__in=mine).update(
        replayed_at=timezone.now(), replay_job_id=job_id
    )
    ledger.wake_lanes(row.lane for row in rows)
    counters.replayed(rows)
    return rows


def discard(letters: QuerySet[DeadLetter], *, reason: str, limit: int = 10_000) -> int:
    """Puts letters away that are not to be sent again; how many. Their notifications stay failed."""
    with transaction.atomic():
        chosen = list(waiting(letters).order_by("id").values_list("id", "notification_id", "tenant_id")[:limit])
        # The same lock that a replay takes, so that one of the two comes second and finds it done.
        locked = NotificationLog.objects.in_scope().select_for_update().filter(id__in=[row[1] for row in chosen])
        list(locked.order_by("id").values_list("id"))
        still = waiting(DeadLetter.objects.in_scope().filter(id__in=[row[0] for row in chosen]))
        discarded = still.update(discarded_at=timezone.now(), discard_reason=reason)
        for tenant_id in sorted({row[2] for row in chosen}) if discarded else ():
            mine = [row[0] for row in chosen if row[2] == tenant_id]
            told = f"{len(mine)} dead letter{'' if len(mine) == 1 else 's'} discarded: {reason}"
            audit.record("dead_letter.discarded", tenant_id=tenant_id, object_id=mine[0], summary=told)
    return discarded


def _note(tenant_id: uuid.UUID, replayed: Sequence[uuid.UUID]) -> None:
    """One entry, however many, about the first of them: each letter knows itself when it was replayed."""
    first = DeadLetter.objects.for_tenant(tenant_id).get(notification_id=replayed[0])
    told = f"{len(replayed)} dead letter{'' if len(replayed) == 1 else 's'} sent again"
    audit.record("dead_letter.replayed", tenant_id=tenant_id, object_id=first.pk, summary=told)
