"""Reading the ledger. Every query starts from a tenant."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, QuerySet

from delivery_gateway import digests
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import Attempt, DeadLetter, NotificationLog, ProviderEvent, SandboxMessage
from delivery_gateway.states import Status
from tenants.masking import Reader, shown, told

WITH_A_REASON = (Status.SCHEDULED, Status.HELD, Status.CANCELLED, Status.EXPIRED)
MOST = 10_000  # dead letters; more are not counted
DIGEST = "It stands for {count} notifications that came in between {first_at} and {last_at}."


def notifications_of(tenant_id: uuid.UUID) -> QuerySet[NotificationLog]:
    return NotificationLog.objects.filter(tenant_id=tenant_id)


def dead_letters_of(tenant_id: uuid.UUID) -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(tenant_id=tenant_id).select_related("notification")


def sandbox_of(tenant_id: uuid.UUID) -> QuerySet[SandboxMessage]:
    return SandboxMessage.objects.filter(tenant_id=tenant_id)


def counts_by_status(tenant_id: uuid.UUID, event_id: uuid.UUID) -> dict[str, int]:
    """Reads the rows of this event and no others: its cost is the size of the audience, not of the ledger."""
    rows = notifications_of(tenant_id).filter(event_id=event_id).values_list("status")
    return dict(rows.annotate(number=Count("id")).order_by("status"))


def waiting(letters: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    """Those about which somebody has still to decide."""
    return letters.filter(replayed_at=None, cleared_at=None, discarded_at=None)


def number_of(letters: QuerySet[DeadLetter]) -> int:
    """Up to MOST."""
    return letters.order_by("-id").values("id")[:MOST].count()


def by_cause(letters: QuerySet[DeadLetter], key: Reader, *also: str) -> list[dict[str, Any]]:
    """Letters that wait, the newest MOST of them, counted by channel and code, most first."""
    newest = waiting(letters).order_by("-id").values("id")[:MOST]
    causes = DeadLetter.objects.in_scope().filter(id__in=newest).values("channel", "code", *also)
    found = causes.annotate(
        count=Count("id"), first_at=Min("created_at"), last_at=Max("created_at"), sample=Max("reason")
    )
    most_first = found.order_by("-count", "channel", "code")[:200]
    return [{**row, "sample": told(str(row["sample"]), key)} for row in most_first]


def shown_address(row: NotificationLog | NewNotification, key: Reader) -> str:
    return row.to if row.channel == "in_app" else shown(row.to, key)


def timeline_of(row: NotificationLog) -> list[dict[str, Any]]:
    """The story of one row, oldest first: accepted, decided, each call, its end, a replay."""
    steps = [_step(row.created_at, "accepted", "")]
    if row.routed_at is not None:
        steps.append(_decision_step(row))
    steps += [_attempt_step(attempt) for attempt in row.attempt_rows.order_by("id")]
    letter: DeadLetter | None = getattr(row, "dead_letter", None)  # asked for once, however often it is shown
    if letter is not None:
        steps.append(_step(letter.created_at, "dead_letter", letter.reason))
        if letter.replayed_at is not None:
            steps.append(_step(letter.replayed_at, "replayed", ""))
    told = [_provider_step(event) for event in row.provider_events.order_by("received_at", "id")]
    steps += told
    if row.status in WITH_A_REASON or (row.status == Status.BOUNCED and not told):
        steps.append(_step(row.due_at, str(row.status), row.detail or row.reason))
    return sorted(steps, key=lambda step: (step["at"] is None, step["at"]))


def _step(at: datetime | None, what: str, detail: str) -> dict[str, Any]:
    return {"at": at, "what": what, "detail": detail}


def _decision_step(row: NotificationLog) -> dict[str, Any]:
    if row.status == Status.SUPPRESSED:
        what = "digested" if row.reason == digests.DIGESTED else "suppressed"
        return _step(row.routed_at, what, row.detail)
    held = digests.contents(row)
    return _step(row.routed_at, "routed", DIGEST.format(**held) if held else "")


def _provider_step(event: ProviderEvent) -> dict[str, Any]:
    """At the time when it came in: a provider's own clock may be anywhere."""
    return _step(event.received_at, event.kind, event.detail) | {"code": event.code, "occurred_at": event.occurred_at}


def _attempt_step(attempt: Attempt) -> dict[str, Any]:
    return _step(attempt.started_at, f"attempt: {attempt.outcome}", attempt.detail) | {
        "number": attempt.number,
        "code": attempt.code,
        "http_status": attempt.http_status,
        "duration_ms": attempt.duration_ms,
    }
