"""Decides on direct sends that wait for the router, a batch at a time."""

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from delivery_gateway import counters, late_routing, ledger, limits, measures, suppressions
from delivery_gateway.ledger import Verdict
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from delivery_gateway.suppressions import Suppressions
from notification_processor import quiet
from notification_processor.defaults import ChannelDefaults, channel_defaults
from notification_processor.quiet import Keeper
from traffic_control import decisions
from traffic_control.crash_points import Point, crash_point
from user_preferences import policy, selectors
from user_preferences.policy import Choices, Decision

log = logging.getLogger(__name__)

BATCH = 500


def route_pending(*, now: datetime) -> bool:
    """Decides on a batch of direct sends that wait for the router; whether there may be more to do at once."""
    with transaction.atomic():
        rows = ledger.pending(BATCH)
        if rows:
            verdicts = decide(rows, now)
            ledger.settle(verdicts, now=now)
            measures.settled(rows, verdicts)
            counters.settled(rows, verdicts)
            crash_point(Point.SENDS_ROUTED)
            log.info("routed direct sends", extra={"stage": "route", "count": len(rows)})
    return len(rows) == BATCH


def decide(
    rows: Sequence[NotificationLog],
    now: datetime,
    waits: Callable[[Sequence[limits.Recipient]], list[float]] = limits.waits_for,
) -> list[Verdict]:
    """One for each row. A turn is taken by asking `waits`."""
    found = judged(rows, now)
    limited = [row for row in rows if row.id not in found.stopped]
    turns = waits([(row.tenant_id, row.user_id or row.to, row.channel, row.mode) for row in limited])
    later = {row.id: wait for row, wait in zip(limited, turns, strict=True)}
    verdicts = [found.stopped.get(row.id) or late_routing.passed(row, later[row.id], now) for row in rows]
    return [found.recorded(row, verdict) for row, verdict in zip(rows, verdicts, strict=True)]


def judged(rows: Sequence[NotificationLog], now: datetime) -> "Judged":
    """What speaks against each row, short of the limits."""
    facts = _facts(rows)
    chosen = {row.id: _chosen(row, facts) for row in rows if row.user_id or not row.to}
    verdicts = (_refusal(row, chosen.get(row.id), facts, now) or _held(row, facts, now) for row in rows)
    return Judged(chosen, {verdict.id: verdict for verdict in verdicts if verdict}, facts)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decisions on some rows rest on."""

    choices: Mapping[uuid.UUID, Choices]
    defaults: Mapping[uuid.UUID, ChannelDefaults]
    suppressed: Suppressions
    keepers: Mapping[uuid.UUID, Keeper]  # of quiet hours, by customer


@dataclass(frozen=True, slots=True)
class Judged:
    """`chosen`: by row, what the customer's choices come to; `stopped`: those that are not sent now."""

    chosen: Mapping[uuid.UUID, Decision]
    stopped: Mapping[uuid.UUID, Verdict]
    facts: Facts

    def recorded(self, row: NotificationLog, verdict: Verdict) -> Verdict:
        """With what is kept of the decision, and of those before it: what was left out, what held it."""
        chosen = self.chosen.get(row.id)
        if chosen is None:
            return verdict
        before = decisions.unpacked(row.decision, CHANNELS)
        record = decisions.packed(chosen.rule, before.left_out, tuple(CHANNELS))
        return replace(verdict, decision=decisions.delayed(record, verdict.reason if verdict.due_at else before.delay))


def _facts(rows: Sequence[NotificationLog]) -> Facts:
    concerned = [row for row in rows if row.user_id or not row.to]
    customers = {row.customer_id for row in rows if row.customer_id}
    return Facts(
        choices=selectors.choices_of(customers),
        defaults=channel_defaults({row.tenant_id for row in rows}) if concerned else {},
        suppressed=suppressions.among({(row.tenant_id, row.channel, row.to) for row in rows}),
        keepers=quiet.keepers(customers),
    )


def _chosen(row: NotificationLog, facts: Facts) -> Decision:
    default = facts.defaults[row.tenant_id]
    return policy.decide(
        facts.choices.get(row.customer_id, policy.NO_CHOICES) if row.customer_id else policy.NO_CHOICES,
        channel=row.channel,
        category=row.category,
        is_critical=row.is_critical,
        tenant_defaults=default.choices,
        has_address=bool(row.to) or row.channel in default.with_own_address,
    )


def _refusal(row: NotificationLog, chosen: Decision | None, facts: Facts, now: datetime) -> Verdict | None:
    """The first rule that is against it. To an address, nobody's preferences are concerned."""
    if refused := late_routing.refusal(row, facts.suppressed, now):
        return refused
    if chosen is None or chosen.is_allowed:
        return None
    return Verdict(row.id, row.lane, Status.SUPPRESSED, chosen.rule, chosen.detail)


def _held(row: NotificationLog, facts: Facts, now: datetime) -> Verdict | None:
    """It comes back to be decided on when the quiet hours of its customer are over."""
    keeper = facts.keepers.get(row.customer_id) if row.customer_id and not row.is_critical else None
    zone = facts.defaults[row.tenant_id].timezone if keeper else ""
    if not keeper or not (found := keeper.quiet(row.channel, now, tenant_zone=zone)):
        return None
    reason = row.reason if row.reason in decisions.HELD else quiet.REASON
    told = found.told(reason)
    return Verdict(row.id, row.lane, Status.SCHEDULED, reason, told, due_at=found.due_at, is_final=False)
