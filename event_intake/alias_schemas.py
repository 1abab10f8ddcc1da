"""The shapes of answers under the notification API's second name, for the OpenAPI document only."""

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, inline_serializer
from rest_framework import serializers

from event_intake.schemas import NOTIFY_EXAMPLES, NotificationReceipt

Receipts = inline_serializer(
    "NotificationReceipts", {"notifications": serializers.ListField(child=NotificationReceipt)}
)
SendReceipt = PolymorphicProxySerializer("SendReceipt", [NotificationReceipt, Receipts], resource_type_field_name=None)
SEND_EXAMPLES = [
    OpenApiExample(
        "A customer",
        request_only=True,
        value={"customer_id": "u1", "channels": ["email", "telegram"], "message": "Your parcel is on its way."},
    ),
    *NOTIFY_EXAMPLES,
]
