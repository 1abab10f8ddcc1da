"""The audit itself: one walk over the ledger in order of id, beside both files in the same order."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from delivery_gateway.models import DeadLetter, NotificationLog
from monitoring.ledger_audit import events, facts
from monitoring.ledger_audit.evidence import Evidence, Receipts
from monitoring.ledger_audit.facts import Facts
from monitoring.ledger_audit.findings import Finding, Report
from monitoring.ledger_audit.rules import NOTHING, Case, extra_sends, judge
from notification_processor.models import Event
from traffic_control.ids import uuid7_at


def audit(evidence: Evidence, *, since: datetime | None, is_settled: bool, patience: timedelta) -> Report:
    """What of the seven promises is broken, for everything accepted from `since` on."""
    report, after = Report(), uuid7_at(since) if since else None
    case = Case(
        now=timezone.now(),
        recorded_until=datetime.fromtimestamp(evidence.until, UTC),
        max_attempts=len(settings.RETRY_SCHEDULE) + 1,
        patience=patience,
        is_settled=is_settled,
        channels=evidence.channels,
    )
    _walk(report, evidence, case, after)
    for judged in events.batches(after):
        report.events += judged.count
        report.add(judged.findings)
    if is_settled:
        report.add(events.unfinished(after, now=case.now))
    report.add(_letters_without_row(after))
    report.add(_keys(evidence))
    report.told, report.received = evidence.count("told"), evidence.count("received")
    return report


def _walk(report: Report, evidence: Evidence, case: Case, after: uuid.UUID | None) -> None:
    for batch in facts.batches(after):
        last = batch[-1].row.id
        told, received = evidence.told(after, last), evidence.received(after, last)
        for one in batch:
            _weigh(report, one, received.pop(one.row.id, NOTHING), case)
            if told.pop(one.row.id, "") not in ("", str(one.row.tenant_id)):
                report.add([Finding("told_to_another_tenant", one.row.id, f"it belongs to {one.row.tenant_id}")])
        report.add(_without_row(received))
        report.add(_lost(told))
        after = last
    report.add(_without_row(evidence.received(after, None)))
    for told in evidence.told_in_chunks(after):
        report.add(_lost(told))


def _weigh(report: Report, one: Facts, received: Receipts, case: Case) -> None:
    report.rows += 1
    report.statuses[one.row.status] += 1
    report.extra_sends.update(extra_sends(one, received))
    report.add(judge(one, received, case))


def _lost(told: dict[uuid.UUID, str]) -> Iterator[Finding]:
    """Of the ids that are no row's, those that are no event's either."""
    if not told:
        return
    owners = dict(Event.objects.filter(id__in=list(told)).values_list("id", "tenant_id"))
    for promised, tenant in told.items():
        if promised not in owners:
            yield Finding("lost", promised, "a client was told that it is stored, and it is not")
        elif tenant not in ("", str(owners[promised])):
            yield Finding("told_to_another_tenant", promised, f"it belongs to {owners[promised]}")


def _without_row(received: dict[uuid.UUID, Receipts]) -> Iterator[Finding]:
    for stranger, receipts in received.items():
        yield Finding("received_without_row", stranger, f"it was received {receipts.count} times, and nobody knows it")


def _letters_without_row(after: uuid.UUID | None) -> Iterator[Finding]:
    row = NotificationLog.objects.filter(id=OuterRef("notification_id"))
    orphans = DeadLetter.objects.filter(~Exists(row)).order_by("id")
    if after is not None:
        orphans = orphans.filter(notification_id__gt=after)
    for notification_id in orphans.values_list("notification_id", flat=True).iterator():
        yield Finding("letter_without_row", notification_id, "its dead letter is there, and it is not")


def _keys(evidence: Evidence) -> Iterator[Finding]:
    for first, number in evidence.keys_answered_twice():
        yield Finding("key_answered_twice", first, f"one Idempotency-Key was answered with {number} ids")
