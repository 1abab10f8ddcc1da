"""Changes to orders. A change and the event that tells of it are one transaction: neither is ever without the other."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from event_intake.models import Order
from event_intake.order_rules import STEPS, Item, money, total_of
from notification_processor import events
from notification_processor.events import NewEvent
from tenants.models import Tenant
from traffic_control.errors import Problem, invalid
from traffic_control.ids import uuid7
from user_preferences import selectors
from user_preferences.models import Customer


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as a tenant sent it. `customer` is our id or the tenant's user_id."""

    customer: str
    number: str
    items: tuple[Item, ...]
    currency: str


def of_tenant(tenant_id: uuid.UUID) -> QuerySet[Order]:
    return Order.objects.for_tenant(tenant_id).select_related("customer")


def find(tenant: Tenant, key: str, *, is_to_change: bool = False) -> Order:
    """By our id or the tenant's number; should one be the other's, our id wins. `is_to_change` locks it.

    Raises Problem 404.
    """
    own_id = _uuid(key)
    wanted = Q(order_number=key.replace("\x00", ""))  # PostgreSQL refuses to compare with it
    if own_id:
        wanted |= Q(id=own_id)
    rows = of_tenant(tenant.id).filter(wanted)
    if is_to_change:
        rows = rows.select_for_update(of=("self",))
    found = sorted(rows, key=lambda order: order.id != own_id)
    if not found:
        raise Problem("not_found", f'There is no order "{key[:100]}".', status=404)
    return found[0]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def create(tenant: Tenant, mode: str, new: NewOrder) -> Order:
    """Publishes ORDER_CREATED. Raises Problem: an unknown customer (400), a number that is taken (409)."""
    order = _order(tenant, new)
    try:
        with transaction.atomic():
            _publish(order, mode, "ORDER_CREATED", order.status)
            order.save(force_insert=True)
    except IntegrityError as exc:
        there = f"/api/v1/orders/{quote(new.number)}/"
        detail = f'There is an order with the number "{new.number}" already: GET {there}. Use another number.'
        raise Problem("order_exists", detail, status=409) from exc
    return order


@transaction.atomic
def change_status(tenant: Tenant, mode: str, key: str, status: str) -> Order:
    """Publishes ORDER_STATUS_CHANGED. The status that it has already changes nothing, so a PUT may be repeated.

    Two changes at once come one after the other. Raises Problem: 404, or 409 `illegal_status_step`.
    """
    order = find(tenant, key, is_to_change=True)
    if order.status == status:
        return order
    if status not in STEPS[order.status]:
        raise _illegal(order, status)
    old, order.status = order.status, status
    _publish(order, mode, "ORDER_STATUS_CHANGED", status, old_status=old, new_status=status)
    order.save()
    return order


def _order(tenant: Tenant, new: NewOrder) -> Order:
    return Order(
        id=uuid7(),
        tenant=tenant,
        order_number=new.number,
        customer=customer_of(tenant, new.customer),
        items=[_as_json(item, new.currency) for item in new.items],
        currency=new.currency,
        total=total_of(new.items),
    )


def customer_of(tenant: Tenant, key: str) -> Customer:
    """By our id or the tenant's user_id. Raises Problem for one who does not exist."""
    customer = selectors.find(tenant, key)
    if customer is None:
        detail = f'There is no customer "{key}". Introduce them first: POST /api/v1/customers/.'
        raise invalid("/customer_id", detail, code="unknown_customer")
    return customer


def _as_json(item: Item, currency: str) -> dict[str, Any]:
    price = money(item.unit_price, currency)
    return {"sku": item.sku, "name": item.name, "quantity": item.quantity, "unit_price": price}


def _publish(order: Order, mode: str, event_type: str, status: str, **more: str) -> None:
    """A customer who was forgotten since hears nothing; the event is kept all the same."""
    payload = {
        "order_id": str(order.id),
        "order_number": order.order_number,
        "status": status,
        "customer_name": order.customer.name if order.customer else "",
        "items": order.items,
        "total": money(order.total, order.currency),
        "currency": order.currency,
        **more,
    }
    to = (order.customer.user_id,) if order.customer else ()
    (accepted,) = events.accept(order.tenant, mode, [NewEvent(event_type=event_type, recipients=to, payload=payload)])
    order.last_event_id = accepted.event.id


def _illegal(order: Order, status: str) -> Problem:
    legal = STEPS[order.status]
    can = f"it can become {' or '.join(legal)}, not {status}" if legal else "that is final"
    detail = f"Order {order.order_number} is {order.status}; {can}."
    error = {"pointer": "#/status", "code": "illegal_status_step", "detail": detail}
    if legal:
        error["hint"] = ", ".join(legal)
    return Problem("illegal_status_step", detail, status=409, errors=[error])
