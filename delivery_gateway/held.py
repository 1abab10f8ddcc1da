"""What quiet hours held, from the moment they are over: one recipient's rows on one channel are let go together.

Rows are found without a lock, then the first row of each group is locked: whoever has it decides on the group, and all
others leave it alone. So a group is never torn between two routers, and a digest is opened once: it, and the end of
what went into it, are one transaction.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import QuerySet
from django.db.models.functions import Substr

from delivery_gateway import counters, ledger, measures
from delivery_gateway.digests import DIGESTED
from delivery_gateway.ledger import NewNotification, Verdict
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from traffic_control import decisions
from traffic_control.bulk import update_from_values
from traffic_control.crash_points import Point, crash_point

MOST = 10_000  # rows of a transaction, and so of a digest
HEADS = 500  # rows by which a transaction finds its groups
OPENING = 200  # characters of a body that are read
READ = (
    "id", "tenant_id", "mode", "customer_id", "user_id", "channel", "lane", "to", "subject", "event_id", "event_type",
    "category", "is_critical", "reason", "decision", "expires_at", "created_at",
)  # fmt: skip
WRITTEN = (*ledger.SETTLED, "provider_message_id")
Key = tuple[uuid.UUID, uuid.UUID | None, str, str, str]
KEY = ("tenant_id", "customer_id", "mode", "channel", "to")


@dataclass(frozen=True, slots=True)
class Digest:
    """A message that stands for others, and these with what becomes of them."""

    new: NewNotification
    verdicts: Sequence[Verdict]


def key_of(row: NotificationLog) -> Key:
    """Rows that are alike in it are for one recipient."""
    return row.tenant_id, row.customer_id, row.mode, row.channel, row.to


def claim(*, now: datetime) -> list[NotificationLog]:
    """Whole groups, pending in the caller's transaction and locked for it; `opening` is how the body begins.

    Of more than MOST rows of one recipient, the first MOST. None when there are none, or when others are at it.
    """
    heads = list(_due(now).order_by("due_at").values_list("due_at", "customer_id")[:HEADS])
    if not heads:
        return []
    groups = _groups(now, heads)
    first = NotificationLog.objects.filter(id__in=[ids[0] for ids in groups], status=Status.SCHEDULED)
    mine = set(first.select_for_update(skip_locked=True).order_by("id").values_list("id", flat=True))
    wanted = [row_id for ids in groups if ids[0] in mine for row_id in ids]
    rows: list[NotificationLog] = list(
        _due(now)
        .filter(id__in=wanted)
        .select_for_update()
        .order_by("id")  # as everybody does who locks many rows
        .annotate(opening=Substr("body", 1, OPENING))
        .only(*READ)
    )
    NotificationLog.objects.filter(id__in=[row.id for row in rows]).update(status=Status.PENDING, due_at=None)
    return rows


def _due(now: datetime) -> QuerySet[NotificationLog]:
    return NotificationLog.objects.filter(status=Status.SCHEDULED, due_at__lte=now, reason__in=decisions.HELD)


def _groups(now: datetime, heads: Sequence[tuple[datetime | None, uuid.UUID | None]]) -> list[list[uuid.UUID]]:
    """The ids of each group, in order. What is held of one customer comes due at one moment, which has an index."""
    times, customers = {head[0] for head in heads}, {head[1] for head in heads}
    alike = _due(now).filter(due_at__in=times, customer_id__in=customers).order_by(*KEY, "id")
    rows = list(alike.values_list(*KEY, "id")[: MOST + 1])
    groups = [[row[-1] for row in group] for _, group in groupby(rows, key=lambda row: row[:-1])]
    if len(rows) <= MOST:
        return groups
    return groups[:-1] or [groups[0][:MOST]]  # the last one may go on


def settle(
    rows: Sequence[NotificationLog], alone: Sequence[Verdict], digests: Sequence[Digest], *, now: datetime
) -> None:
    """Writes what routing decided for rows that were claimed, and opens the digests that some of them went into."""
    opened = [digest.new for digest in digests]
    ledger.insert(opened)
    crash_point(Point.DIGESTS_OPENED)
    ledger.settle(alone, now=now)
    values = [
        (v.id, v.status, v.reason, v.detail[:500], v.due_at, now, v.decision, str(digest.new.id))
        for digest in digests
        for v in digest.verdicts
    ]
    if values:
        update_from_values(NotificationLog, WRITTEN, values)
    verdicts = [*alone, *(v for digest in digests for v in digest.verdicts)]
    measures.opened(opened)
    measures.settled(rows, verdicts)
    measures.digested((digest.new.channel, len(digest.verdicts)) for digest in digests)
    counters.released(opened, rows, verdicts)


def digested(row: NotificationLog, digest_id: uuid.UUID, number: int) -> Verdict:
    """The end of a row that went into a digest with others, `number` in all."""
    detail = f"It is one of {number} notifications in the digest {digest_id}."
    return Verdict(row.id, row.lane, Status.SUPPRESSED, DIGESTED, detail)
