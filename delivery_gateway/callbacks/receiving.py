"""Providers' news, brought into the ledger: forward only, each once, and never beyond the integration's own tenant."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from delivery_gateway import counters, suppressions
from delivery_gateway.callbacks.contract import Kind, News
from delivery_gateway.leases import storable
from delivery_gateway.models import NotificationLog, ProviderEvent
from delivery_gateway.states import WAITING, Status
from delivery_gateway.suppressions import EVERYTHING, NOT_CRITICAL
from tenants.integrations import IntegrationConfig
from traffic_control import audit
from traffic_control.bulk import update_from_values
from traffic_control.ids import derived_uuid7
from traffic_control.metrics import CALLBACKS, Tally

COMES_TO = {Kind.DELIVERED: Status.DELIVERED, Kind.BOUNCED: Status.BOUNCED}
NOT_SENT_YET = (*WAITING, Status.SENDING)
COLUMNS = ("id", "tenant_id", "status", "channel", "mode", "to", "category", "reason", "detail")
APPLIED, NOTED, REPEATED, UNKNOWN, EARLY, IGNORED = "applied", "noted", "repeated", "unknown", "early", "ignored"


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of news, and the row that it is about."""

    news: News
    row: NotificationLog
    id: uuid.UUID


def receive(source: IntegrationConfig, news: Sequence[News], *, service: str, now: datetime) -> Counter[str]:
    """How many came to what. `early` ones are of messages whose sending is not recorded yet: to be told again."""
    with transaction.atomic():
        outcomes, fresh = _sorted_out(source, news)
        moved = _moved(fresh)
        _note(fresh, now)
        if added := sum(_suppress(told) for told in fresh):
            summary = f"{added} addresses suppressed on {source.channel}, as {service} told"
            audit.record(
                "suppression.added", tenant_id=source.tenant_id, object_id=source.id, summary=summary,
                actor=audit.Actor(audit.PROVIDER, str(source.id), service),
            )  # fmt: skip
        outcomes += [(told.news, APPLIED if told.row.id in moved else NOTED) for told in fresh]
        tally = Tally()
        for one, outcome in outcomes:
            tally.count(CALLBACKS, service, one.kind, outcome)
        tally.add_on_commit()
        counters.ended(moved.values())
    return Counter(outcome for _, outcome in outcomes)


def _sorted_out(source: IntegrationConfig, news: Sequence[News]) -> tuple[list[tuple[News, str]], list[Told]]:
    """What needs nothing done, and what was never told before. The rows stay locked, so nobody else tells it now."""
    wanted = [one for one in news if one.kind is not Kind.OTHER]
    rows = _rows(source, {one.notification_id for one in wanted if one.notification_id})
    outcomes, told = [(one, IGNORED) for one in news if one.kind is Kind.OTHER], {}
    for one in wanted:
        row = rows.get(one.notification_id) if one.notification_id else None
        if row is None or row.status in NOT_SENT_YET:
            outcomes.append((one, UNKNOWN if row is None else EARLY))
            continue
        event_id = derived_uuid7(row.id, "provider event", one.kind, one.key)
        if event_id in told:
            outcomes.append((one, REPEATED))
        else:
            told[event_id] = Told(one, row, event_id)
    known = set(ProviderEvent.objects.in_scope().filter(id__in=told).values_list("id", flat=True)) if told else set()
    outcomes += [(told[event_id].news, REPEATED) for event_id in known]
    return outcomes, [one for event_id, one in told.items() if event_id not in known]


def _rows(source: IntegrationConfig, ids: set[uuid.UUID]) -> dict[uuid.UUID, NotificationLog]:
    """In the order of their ids, so that two callbacks wait for each other, but never in a circle."""
    if not ids:
        return {}
    rows = NotificationLog.objects.filter(
        tenant_id=source.tenant_id, id__in=ids, channel=source.channel, mode="live"
    ).select_for_update()
    return {row.id: row for row in rows.order_by("id").only(*COLUMNS)}


def _moved(fresh: Sequence[Told]) -> dict[uuid.UUID, NotificationLog]:
    """Rows that have come to their end by this. The first word counts: what has bounced is not delivered later."""
    moved: dict[uuid.UUID, NotificationLog] = {}
    for told in fresh:
        status, row = COMES_TO.get(told.news.kind), told.row
        if status is not None and row.status == Status.SENT:
            row.status = status
            if status == Status.BOUNCED:
                row.reason, row.detail = storable(told.news.code or "bounced", 64), _detail(told)
            moved[row.id] = row
    values = [(row.id, row.status, row.reason, row.detail) for row in moved.values()]
    if values:
        update_from_values(NotificationLog, ("status", "reason", "detail"), values, where="t.status = 'sent'")
    return moved


def _note(fresh: Sequence[Told], now: datetime) -> None:
    rows = [
        ProviderEvent(
            id=told.id,
            tenant_id=told.row.tenant_id,
            notification=told.row,
            kind=told.news.kind,
            code=storable(told.news.code, 100),
            detail=_detail(told),
            occurred_at=told.news.occurred_at,
            received_at=now,
        )
        for told in fresh
    ]
    if rows:
        ProviderEvent.objects.bulk_create(rows)


def _suppress(told: Told) -> bool:
    """The address is ours, from the ledger: nobody can have another one suppressed."""
    news, row = told.news, told.row
    scopes = {
        Kind.BOUNCED: EVERYTHING if news.is_permanent else None,
        Kind.COMPLAINED: NOT_CRITICAL,
        Kind.UNSUBSCRIBED: row.category or NOT_CRITICAL,
    }
    scope = scopes.get(news.kind)
    if scope is None or not row.to:
        return False
    digest = suppressions.address_hash(row.tenant_id, row.to)
    return suppressions.add(row.tenant_id, row.channel, digest, scope=scope, reason=str(news.kind)) is not None


def _detail(told: Told) -> str:
    """As the provider put it, without the address."""
    text, to = told.news.detail, told.row.to
    if not to:
        return ""  # cleared since: it might be anywhere in the text
    at = text.lower().find(to.lower())
    while at >= 0:
        text = f"{text[:at]}<recipient>{text[at + len(to) :]}"
        at = text.lower().find(to.lower())
    return storable(text, 500)
