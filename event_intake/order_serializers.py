"""Orders as tenants write and read them."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from event_intake.models import Order
from event_intake.order_rules import Item, money, total_of
from event_intake.orders import NewOrder
from traffic_control.serializers import StrictSerializer

MAX_ITEMS = 500
MAX_QUANTITY = 1_000_000
TOO_MUCH = Decimal(10) ** 11
ONE_LINE = r"^[^\x00-\x1f\x7f]*\Z"
ONE_LINE_ERROR: dict[str, Any] = {"invalid": "It has a line break or another control character; send one plain line."}
CURRENCY_ERROR: dict[str, Any] = {"invalid": "Use the three capital letters of ISO 4217, e.g. EUR."}


class OrderItemSerializer(StrictSerializer):
    """A line of an order."""

    sku = serializers.RegexField(
        ONE_LINE, max_length=64, required=False, allow_blank=True, default="", error_messages=ONE_LINE_ERROR
    )
    name = serializers.RegexField(ONE_LINE, max_length=200, error_messages=ONE_LINE_ERROR)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)
    unit_price = serializers.DecimalField(
        max_digits=15, decimal_places=4, min_value=Decimal(0), help_text="A decimal as text (or a number)"
    )


class OrderSerializer(StrictSerializer):
    """A new order of a customer."""

    aliases = {"user_id": "customer_id"}

    customer_id = serializers.CharField(max_length=128, help_text="Our id, or the tenant's user_id")
    order_number = serializers.RegexField(ONE_LINE, max_length=64, error_messages=ONE_LINE_ERROR)
    items = serializers.ListField(child=OrderItemSerializer(), allow_empty=False, max_length=MAX_ITEMS)
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", error_messages=CURRENCY_ERROR, help_text="ISO 4217, e.g. EUR")

    def validate_items(self, value: list[dict[str, Any]]) -> list[Item]:
        items = [Item(**item) for item in value]
        if total_of(items) >= TOO_MUCH:
            raise serializers.ValidationError(f"Their total of {total_of(items):,} is more than an order takes.")
        return items

    def to_order(self) -> NewOrder:
        said = self.validated_data
        return NewOrder(said["customer_id"], said["order_number"], tuple(said["items"]), said["currency"])


class OrderStatusSerializer(StrictSerializer):
    """What an order becomes."""

    status = serializers.ChoiceField(choices=Order.Status.choices)


def order_answer(order: Order) -> dict[str, Any]:
    return {
        "id": str(order.id),
        "order_number": order.order_number,
        "customer_id": str(order.customer.id) if order.customer else None,
        "user_id": order.customer.user_id if order.customer else None,
        "items": order.items,
        "currency": order.currency,
        "total": money(order.total, order.currency),
        "status": order.status,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "links": {
            "self": f"/api/v1/orders/{order.id}/",
            "event": f"/api/events/{order.last_event_id}/",
            "notifications": f"/v1/notifications/?event_id={order.last_event_id}",
        },
    }
