"""What the database says of each message, read in order of id, some thousands at a time."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, Model

from delivery_gateway import digests
from delivery_gateway.models import Attempt, DeadLetter, InboxItem, NotificationLog, SandboxMessage
from notification_processor.models import Event
from tenants.models import Integration
from user_preferences.models import Customer

BATCH = 2_000
Links = Sequence[tuple[str, type[Model], str]]
POINTED_TO: Links = (
    ("event", Event, "event_id"), ("customer", Customer, "customer_id"), ("integration", Integration, "integration_id"),
    ("digest", NotificationLog, "digest_id"),
)  # fmt: skip
POINTING: Links = (
    ("dead letter", DeadLetter, "notification_id"), ("inbox item", InboxItem, "id"),
    ("sandbox message", SandboxMessage, "id"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """The columns of a ledger row that a judgement needs."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    mode: str
    channel: str
    status: str
    reason: str
    attempts: int
    ambiguous: int
    lease_until: datetime | None
    due_at: datetime | None
    sent_at: datetime | None
    event_id: uuid.UUID | None
    customer_id: uuid.UUID | None
    integration_id: uuid.UUID | None
    provider_message_id: str

    @property
    def digest_id(self) -> uuid.UUID | None:
        return digests.digest_id(self)


COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True, slots=True)
class Facts:
    """One message with all that stands beside it.

    `outcomes`: its attempts by what came of them. `captured`: whether its inbox or sandbox item is there.
    `open_letters`: dead letters that nobody has sent again. `strangers`: what belongs to it but to another tenant.
    `lacks_digest`: it went into one that is not there.
    """

    row: Row
    outcomes: Mapping[str, int]
    letters: int = 0
    open_letters: int = 0
    captured: bool = False
    strangers: tuple[str, ...] = ()
    lacks_digest: bool = False


def batches(after: uuid.UUID | None = None) -> Iterator[list[Facts]]:
    """Every row after that id. Each batch is one moment of the database; between two of them the world moves on."""
    while True:
        with one_moment():
            rows = _rows_after(after)
            found = _with_facts(rows)
        if not found:
            return
        yield found
        after = found[-1].row.id


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction in which all reads see the same; inside a caller's transaction, that one."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _rows_after(after: uuid.UUID | None) -> list[Row]:
    rows = NotificationLog.objects.order_by("id")
    if after is not None:
        rows = rows.filter(id__gt=after)
    return [Row(*values) for values in rows.values_list(*COLUMNS)[:BATCH]]


def _with_facts(rows: Sequence[Row]) -> list[Facts]:
    ids = [row.id for row in rows]
    outcomes, letters = _outcomes(ids), _letters(ids)
    captured, strangers = _captured(rows), _strangers(rows)
    lonely = _without_digest(rows)
    return [
        Facts(
            row,
            outcomes.get(row.id, {}),
            letters=len(letters[row.id]),
            open_letters=letters[row.id].count(False),
            captured=row.id in captured,
            strangers=tuple(strangers[row.id]),
            lacks_digest=row.id in lonely,
        )
        for row in rows
    ]


def _without_digest(rows: Sequence[Row]) -> set[uuid.UUID]:
    """Those that went into a digest which is not there."""
    went = {row.id: found for row in rows if (found := row.digest_id)}
    there = set(NotificationLog.objects.filter(id__in=set(went.values())).values_list("id", flat=True))
    return {row_id for row_id, found in went.items() if found not in there}


def _outcomes(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Counter[str]]:
    counted: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    found = Attempt.objects.filter(notification_id__in=ids).values_list("notification_id", "outcome")
    for row_id, outcome, number in found.annotate(number=Count("id")).order_by():
        counted[row_id][outcome] = number
    return counted


def _letters(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[bool]]:
    """By notification, whether each of its letters was sent again."""
    letters: dict[uuid.UUID, list[bool]] = defaultdict(list)
    found = DeadLetter.objects.filter(notification_id__in=ids).values_list("notification_id", "replayed_at")
    for row_id, replayed_at in found:
        letters[row_id].append(replayed_at is not None)
    return letters


def _captured(rows: Sequence[Row]) -> set[uuid.UUID]:
    tests = [row.id for row in rows if row.mode == "test"]
    inboxes = [row.id for row in rows if row.mode != "test" and row.channel == "in_app"]
    return {
        *SandboxMessage.objects.filter(id__in=tests).values_list("id", flat=True),
        *InboxItem.objects.filter(id__in=inboxes).values_list("id", flat=True),
    }


def _strangers(rows: Sequence[Row]) -> dict[uuid.UUID, list[str]]:
    """Names of what a row points to, or what points to it, that has another tenant than the row."""
    strangers: dict[uuid.UUID, list[str]] = defaultdict(list)
    for name, model, column in POINTED_TO:
        owners = dict(_owners(model, "id", {getattr(row, column) for row in rows} - {None}))
        for row in rows:
            if owners.get(getattr(row, column), row.tenant_id) != row.tenant_id:
                strangers[row.id].append(name)
    tenants = {row.id: row.tenant_id for row in rows}
    for name, model, column in POINTING:
        for row_id, owner in _owners(model, column, tenants):
            if owner != tenants[row_id]:
                strangers[row_id].append(name)
    return strangers


def _owners(model: type[Model], column: str, ids: Iterable[uuid.UUID]) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    return model._default_manager.filter(**{f"{column}__in": list(ids)}).values_list(column, "tenant_id")
