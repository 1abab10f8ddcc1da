"""Lets go what quiet hours held: each message by itself, or many as one digest.

Everything is asked again first: choices, suppressions, hours that last longer by now. What is left of one recipient
on one channel goes as a digest when it is more than a few, and so does what its workflow wants to go as one. One
message alone is sent as it is.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from django.db import transaction

from delivery_gateway import held, late_routing, limits
from delivery_gateway.held import Digest
from delivery_gateway.ledger import NewNotification, Verdict
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from notification_processor import digest_texts, direct_routing, quiet
from notification_processor.direct_routing import Judged
from traffic_control import decisions
from traffic_control.crash_points import Point, crash_point

log = logging.getLogger(__name__)

ALONE = 5  # messages of one recipient on one channel that are sent one by one; more go as a digest
Rows = list[NotificationLog]


@dataclass(frozen=True, slots=True)
class Released:
    """What becomes of rows that were held: verdicts on those that go by themselves, and digests of the others."""

    alone: list[Verdict]
    digests: list[Digest]


def release(*, now: datetime) -> bool:
    """Decides on what was held until now, some thousand rows at most; whether there may be more to do at once."""
    with transaction.atomic():
        rows = held.claim(now=now)
        if rows:
            released = decide(rows, now)
            held.settle(rows, released.alone, released.digests, now=now)
            crash_point(Point.HELD_RELEASED)
            told = {"stage": "route", "count": len(rows), "digests": len(released.digests)}
            log.info("released what quiet hours held", extra=told)
    return bool(rows)


def decide(rows: Sequence[NotificationLog], now: datetime) -> Released:
    """Takes a turn under RECIPIENT_RATE_LIMIT for each message that is sent."""
    found = direct_routing.judged(rows, now)
    alone, together = bundled([row for row in rows if row.id not in found.stopped])
    waits = limits.waits_for([_recipient(row) for row in [*alone, *(bundle[0] for bundle in together)]])
    verdicts = [*found.stopped.values()]
    verdicts += [late_routing.passed(row, wait, now) for row, wait in zip(alone, waits, strict=False)]
    by_id = {row.id: row for row in rows}
    recorded = [found.recorded(by_id[verdict.id], verdict) for verdict in verdicts]
    return Released(recorded, _digests(together, found, waits[len(alone) :], now))


def bundled(rows: Sequence[NotificationLog]) -> tuple[Rows, list[Rows]]:
    """Those that go by themselves, and those that go together, each bundle in the order in which they came in."""
    alone: Rows = []
    bundles: list[Rows] = []
    for _, group in groupby(sorted(rows, key=_in_groups), key=held.key_of):
        mine = list(group)
        together = mine if len(mine) > ALONE else [row for row in mine if row.reason == quiet.FOR_DIGEST]
        if len(together) < 2:
            alone += mine
        else:
            bundles.append(together)
            alone += [row for row in mine if len(mine) <= ALONE and row.reason != quiet.FOR_DIGEST]
    return alone, bundles


def _in_groups(row: NotificationLog) -> tuple[str, ...]:
    return (*map(str, held.key_of(row)), str(row.id))


def _digests(bundles: Sequence[Rows], found: Judged, waits: Sequence[float], now: datetime) -> list[Digest]:
    drafts = digest_texts.drafts(bundles, found.facts.defaults, now) if bundles else []
    return [
        Digest(_limited(new, wait, now), _ends(bundle, new, found))
        for bundle, new, wait in zip(bundles, drafts, waits, strict=True)
    ]


def _limited(new: NewNotification, wait: float, now: datetime) -> NewNotification:
    if wait <= 0 or new.status != Status.QUEUED:
        return new
    decision = decisions.delayed(new.decision or 0, limits.REASON)
    due_at = limits.due_at(wait, now)
    return replace(new, status=Status.SCHEDULED, reason=limits.REASON, due_at=due_at, decision=decision)


def _ends(bundle: Rows, new: NewNotification, found: Judged) -> list[Verdict]:
    return [found.recorded(row, held.digested(row, new.id, len(bundle))) for row in bundle]


def _recipient(row: NotificationLog) -> limits.Recipient:
    return row.tenant_id, row.user_id or row.to, row.channel, row.mode
