"""The shapes of answers about orders, for the OpenAPI document only."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from event_intake import models
from event_intake.schemas import LINKS, PAGE

ORDER_PARAMETERS = [
    OpenApiParameter("status", str, enum=models.Order.Status.values),
    OpenApiParameter("user_id", str),
    *PAGE,
]
Order = inline_serializer(
    "Order",
    {
        "id": serializers.UUIDField(),
        "order_number": serializers.CharField(),
        "customer_id": serializers.UUIDField(allow_null=True, help_text="null: forgotten since"),
        "user_id": serializers.CharField(allow_null=True),
        "items": inline_serializer(
            "OrderItem",
            {
                "sku": serializers.CharField(),
                "name": serializers.CharField(),
                "quantity": serializers.IntegerField(),
                "unit_price": serializers.CharField(help_text="A decimal"),
            },
            many=True,
        ),
        "currency": serializers.CharField(),
        "total": serializers.CharField(help_text="A decimal, exact"),
        "status": serializers.ChoiceField(models.Order.Status.choices),
        "created_at": serializers.DateTimeField(),
        "updated_at": serializers.DateTimeField(),
        "links": LINKS,
    },
)
OrderPage = inline_serializer(
    "OrderPage",
    {
        "data": serializers.ListField(child=Order),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=True),
    },
)
ILLEGAL_STEP = OpenApiResponse(
    {"$ref": "#/components/schemas/Problem"}, description="illegal_status_step: the order cannot become that now."
)
ORDER_EXAMPLES = [
    OpenApiExample(
        "Two teas",
        request_only=True,
        value={
            "customer_id": "u1",
            "order_number": "A-7",
            "items": [{"sku": "tea-1", "name": "Green tea", "quantity": 2, "unit_price": "12.50"}],
            "currency": "EUR",
        },
    )
]
