"""Direct sends: one message to one address or customer, rendered at the door so that a fault is told at once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from delivery_gateway import ledger, measures
from delivery_gateway.ledger import NewNotification, Verdict
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from notification_processor import limits, templates
from notification_processor.context import context_for
from notification_processor.defaults import channel_defaults
from notification_processor.rendering import Rendered, Source, TemplateFault, inline_source, render
from notification_processor.routing import CARRY_PAYLOAD, address_of
from tenants.models import Tenant
from traffic_control.errors import Problem, invalid
from user_preferences import policy, selectors
from user_preferences.models import Customer

log = logging.getLogger(__name__)

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectSend:
    """What to send, as a tenant asked for it. Either `to` or `user_id`; either `template` or inline words."""

    channel: str
    to: str = ""
    user_id: str = ""
    template: str = ""
    subject: str = ""
    body: str = ""
    html: str = ""
    data: dict[str, Any] | None = None
    locale: str = ""
    category: str = ""
    is_critical: bool = False
    send_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int = 0


@dataclass
class Known:
    """What a request's sends share, looked up once."""

    customers: dict[str, Customer]
    templates: dict[tuple[str, str, str], Source] = field(default_factory=dict)


def prepare(tenant: Tenant, mode: str, sends: Sequence[DirectSend]) -> list[NewNotification | Problem]:
    """Each send rendered and ready to open, or the problem that stops it. Reads only."""
    users = {send.user_id for send in sends if send.user_id}
    known = Known(selectors.by_user_ids(tenant.id, users) if users else {})
    prepared: list[NewNotification | Problem] = []
    for send in sends:
        try:
            prepared.append(_prepare(tenant, mode, send, known))
        except Problem as problem:
            prepared.append(problem)
    return prepared


def accept(rows: Sequence[NewNotification]) -> list[NotificationLog]:
    """Opens the rows in one transaction and wakes the router. A 202 means that this has committed."""
    if len(rows) == 1:
        return ledger.open_rows(rows)  # one statement is a transaction by itself
    with transaction.atomic(savepoint=False):
        return ledger.open_rows(rows)


def _prepare(tenant: Tenant, mode: str, send: DirectSend, known: Known) -> NewNotification:
    now = timezone.now()
    customer = _customer(send, known)
    source, text = _text(tenant, send, customer, known)
    is_later = send.send_at is not None and send.send_at > now
    return NewNotification(
        tenant_id=tenant.id,
        mode=mode,
        channel=send.channel,
        status=Status.SCHEDULED if is_later else Status.PENDING,
        due_at=send.send_at if is_later else None,
        created_at=now,
        user_id=send.user_id,
        customer_id=customer.id if customer else None,
        to=_address(send, customer),
        subject=text.subject,
        body=text.body,
        html=text.html,
        payload=send.data if send.channel in CARRY_PAYLOAD else None,
        template_name=source.name,
        template_version=source.number,
        category=send.category,
        is_critical=send.is_critical,
        priority=send.priority,
        expires_at=send.expires_at,
    )


def _customer(send: DirectSend, known: Known) -> Customer | None:
    if not send.user_id:
        return None
    if send.user_id not in known.customers:
        detail = f'There is no customer with user_id "{send.user_id}". Create it: POST /api/v1/customers/.'
        raise invalid("/user_id", detail, code="unknown_customer")
    return known.customers[send.user_id]


def _address(send: DirectSend, customer: Customer | None) -> str:
    """A customer without an address is not an error here: the router writes down why nothing was sent."""
    if not send.to:
        return address_of(customer, send.channel) if customer else ""
    try:
        return CHANNELS[send.channel].validate_address(send.to)
    except ValueError as exc:
        detail = f'"{send.to[:100]}" is not an address for {send.channel}. {exc}'
        raise invalid("/to", detail, code="invalid_address") from exc


def _text(tenant: Tenant, send: DirectSend, customer: Customer | None, known: Known) -> tuple[Source, Rendered]:
    source = _source(tenant, send, customer, known)
    if source is None:
        literal = Rendered(" ".join(send.subject.split()), send.body, send.html)
        return Source("", send.channel), literal
    try:
        return source, render(source, context_for(payload=send.data or {}, tenant_name=tenant.name, customer=customer))
    except TemplateFault as fault:
        name = f'template "{source.name}"' if source.name else "the inline text"
        raise invalid(
            "/data" if "variable" in fault.detail else f"/{fault.part}", f"{name}: {fault}", code="template_error"
        ) from fault


def _source(tenant: Tenant, send: DirectSend, customer: Customer | None, known: Known) -> Source | None:
    """None for inline words without data: these are sent as they are."""
    if not send.template:
        if send.data is None:
            return None
        return inline_source(channel=send.channel, subject=send.subject, body=send.body, html=send.html)
    locale = send.locale or (customer.locale if customer else "")
    key = (send.template, send.channel, locale)
    if key not in known.templates:
        known.templates[key] = templates.find(tenant.id, send.template, send.channel, locale=locale)
    return known.templates[key]


def route_pending(*, now: datetime) -> bool:
    """Decides on a batch of direct sends that wait for the router; whether there may be more to do at once."""
    with transaction.atomic():
        rows = ledger.pending(BATCH)
        if rows:
            verdicts = _verdicts(rows, now)
            ledger.settle(verdicts, now=now)
            measures.settled(rows, verdicts)
            log.info("routed direct sends", extra={"stage": "route", "count": len(rows)})
    return len(rows) == BATCH


def _verdicts(rows: Sequence[NotificationLog], now: datetime) -> list[Verdict]:
    choices = selectors.choices_of([row.customer_id for row in rows if row.customer_id])
    defaults = (
        channel_defaults({row.tenant_id for row in rows}) if any(row.user_id or not row.to for row in rows) else {}
    )
    suppressions = ledger.suppressed((row.tenant_id, row.channel, row.to) for row in rows)
    verdicts, open_rows = [], []
    for row in rows:
        verdict = _refusal(row, choices, defaults, suppressions, now)
        if verdict is None:
            open_rows.append(row)
        else:
            verdicts.append(verdict)
    limited = [row for row in open_rows if row.user_id or row.to]
    waits = limits.waits_for([(row.tenant_id, row.user_id or row.to, row.channel, row.mode) for row in limited])
    later = {row.id: wait for row, wait in zip(limited, waits, strict=True) if wait > 0}
    return verdicts + [_passed(row, later.get(row.id, 0), now) for row in open_rows]


def _refusal(row: NotificationLog, choices: Any, defaults: Any, suppressions: Any, now: datetime) -> Verdict | None:
    if row.expires_at is not None and row.expires_at <= now:
        return Verdict(row.id, row.lane, Status.EXPIRED, "expired", "It expired before it could be sent.")
    if reason := suppressions.get((row.tenant_id, row.channel, row.to)):
        detail = f"This address is suppressed on {row.channel}: {reason}."
        return Verdict(row.id, row.lane, Status.SUPPRESSED, "address_suppressed", detail)
    if not row.user_id and row.to:
        return None
    default = defaults[row.tenant_id]
    decision = policy.decide(
        choices.get(row.customer_id, policy.NO_CHOICES),
        channel=row.channel,
        category=row.category,
        is_critical=row.is_critical,
        tenant_defaults=default.choices,
        has_address=bool(row.to) or row.channel in default.with_own_address,
    )
    return None if decision.is_allowed else Verdict(row.id, row.lane, Status.SUPPRESSED, decision.rule, decision.detail)


def _passed(row: NotificationLog, wait: float, now: datetime) -> Verdict:
    if wait > 0:
        return Verdict(row.id, row.lane, Status.SCHEDULED, "recipient_rate_limit", due_at=limits.due_at(wait, now))
    return Verdict(row.id, row.lane, Status.QUEUED)
