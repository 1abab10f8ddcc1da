"""Direct sends: one message to one address or customer, rendered at the door so that a fault is told at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from notification_processor import remembered_templates, templates
from notification_processor.context import context_for, has_link
from notification_processor.deciding import CARRY_PAYLOAD, address_of
from notification_processor.full_backlogs import refuse_if_full
from notification_processor.rendering import Order, Rendered, Source, TemplateFault, inline_source, render_many
from tenants.models import Tenant
from traffic_control.errors import Problem, invalid
from traffic_control.insertion import Entry, Guard
from user_preferences import selectors
from user_preferences.models import Customer


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


@dataclass(frozen=True, slots=True)
class Draft:
    """A send of which all is known but its text. No order: the words are sent as they came."""

    send: DirectSend
    customer: Customer | None
    address: str
    order: Order | None


@dataclass(frozen=True, slots=True)
class Ready:
    """A row to open, unless the template that it was rendered with has changed since this process has read it."""

    new: NewNotification
    template: str
    only_if: Guard | None

    def open(self, *, entry: Entry | None = None) -> bool:
        """In one statement; wakes whoever is next. True means that it is stored, False that nothing is."""
        is_open = ledger.open_one(self.new, only_if=self.only_if, entry=entry)
        if not is_open and entry is None:  # with one, it may be the entry that was there
            remembered_templates.forget(self.new.tenant_id, self.template, self.new.channel)
        return is_open


def send(tenant: Tenant, mode: str, wanted: DirectSend) -> NewNotification:
    """Opens one row. Raises Problem. Returning means that it is stored."""
    ready = make_ready(tenant, mode, wanted)
    return ready.new if ready.open() else send(tenant, mode, wanted)


def make_ready(tenant: Tenant, mode: str, wanted: DirectSend) -> Ready:
    """Reads and renders. Raises Problem."""
    refuse_if_full(tenant)
    known, only_if = _known(tenant, [wanted]), None
    if wanted.template:
        customer = _customer(wanted, known)
        locale = _locale(wanted, customer)
        source, only_if = remembered_templates.find(tenant.id, wanted.template, wanted.channel, locale=locale)
        known.templates[wanted.template, wanted.channel, locale] = source
    (new,) = _prepared(tenant, mode, [wanted], known)
    if isinstance(new, Problem):
        raise new
    return Ready(new, wanted.template, only_if)


def prepare(tenant: Tenant, mode: str, sends: Sequence[DirectSend]) -> list[NewNotification | Problem]:
    """Each send rendered and ready to open, or the problem that stops it. Reads only. Raises Problem 429 for all."""
    refuse_if_full(tenant)
    return _prepared(tenant, mode, sends, _known(tenant, sends))


def accept(rows: Sequence[NewNotification]) -> None:
    """Opens the rows in one transaction and wakes whoever is next. Returning means that they are stored."""
    with transaction.atomic(savepoint=False):
        ledger.open_rows(rows)


def _known(tenant: Tenant, sends: Sequence[DirectSend]) -> Known:
    users = {send.user_id for send in sends if send.user_id}
    return Known(selectors.by_user_ids(tenant.id, users) if users else {})


def _prepared(tenant: Tenant, mode: str, sends: Sequence[DirectSend], known: Known) -> list[NewNotification | Problem]:
    drafts = [_draft(tenant, mode, send, known) for send in sends]
    orders = [draft.order for draft in drafts if isinstance(draft, Draft) and draft.order]
    texts = iter(render_many(orders))
    return [
        draft if isinstance(draft, Problem) else _row(tenant, mode, draft, next(texts) if draft.order else None)
        for draft in drafts
    ]


def _draft(tenant: Tenant, mode: str, send: DirectSend, known: Known) -> Draft | Problem:
    try:
        customer = _customer(send, known)
        source = _source(tenant, send, customer, known)
        order = _order(tenant, mode, send, customer, source) if source else None
        return Draft(send, customer, _address(send, customer), order)
    except Problem as problem:
        return problem


def _order(tenant: Tenant, mode: str, send: DirectSend, customer: Customer | None, source: Source) -> Order:
    links = has_link(source.text, mode)
    context = context_for(payload=send.data or {}, tenant_name=tenant.name, customer=customer, has_link=links)
    return Order(source, context, owner=str(tenant.id))


def _row(tenant: Tenant, mode: str, draft: Draft, text: Rendered | TemplateFault | None) -> NewNotification | Problem:
    """Without a text the words are sent as they came."""
    send, customer = draft.send, draft.customer
    source = draft.order.source if draft.order else Source("", send.channel)
    if isinstance(text, TemplateFault):
        return _refusal(source, text)
    text = text or Rendered(" ".join(send.subject.split()), send.body, send.html)
    now = timezone.now()
    is_later = send.send_at is not None and send.send_at > now
    return NewNotification(
        tenant_id=tenant.id,
        mode=mode,
        channel=send.channel,
        status=Status.SCHEDULED if is_later else Status.PENDING if send.user_id else Status.QUEUED,
        due_at=send.send_at if is_later else None,
        created_at=now,
        user_id=send.user_id,
        customer_id=customer.id if customer else None,
        to=draft.address,
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


def _refusal(source: Source, fault: TemplateFault) -> Problem:
    name = f'template "{source.name}"' if source.name else "the inline text"
    pointer = "/data" if "variable" in fault.detail else f"/{fault.part}"
    return invalid(pointer, f"{name}: {fault}", code="template_error")


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


def _source(tenant: Tenant, send: DirectSend, customer: Customer | None, known: Known) -> Source | None:
    """None for inline words without data: these are sent as they are."""
    if not send.template:
        if send.data is None:
            return None
        return inline_source(channel=send.channel, subject=send.subject, body=send.body, html=send.html)
    locale = _locale(send, customer)
    key = (send.template, send.channel, locale)
    if key not in known.templates:
        known.templates[key], _ = templates.find(tenant.id, send.template, send.channel, locale=locale)
    return known.templates[key]


def _locale(send: DirectSend, customer: Customer | None) -> str:
    return send.locale or (customer.locale if customer else "")
