"""The shapes of answers, for the OpenAPI document only."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, inline_serializer
from rest_framework import serializers

from delivery_gateway.explaining import OUTCOMES
from event_intake.serializers import EventSerializer, NotifySerializer
from traffic_control.openapi import LIMIT

PAGE = [
    LIMIT,
    OpenApiParameter("cursor", str, description="next_cursor of the page before"),
]
DRY_RUN = [OpenApiParameter("dry_run", bool, description="Tell what would happen, and do nothing. Needs `read` too")]
LINKS = serializers.DictField(child=serializers.CharField())

EventReceipt = inline_serializer(
    "EventReceipt",
    {
        "id": serializers.UUIDField(),
        "status": serializers.CharField(),
        "event_type": serializers.CharField(),
        "received_at": serializers.DateTimeField(),
        "links": LINKS,
    },
)
EventDetail = inline_serializer(
    "EventDetail",
    {
        "id": serializers.UUIDField(),
        "status": serializers.ChoiceField(["accepted", "processing", "completed", "expired", "failed"]),
        "event_type": serializers.CharField(),
        "mode": serializers.ChoiceField(["live", "test"]),
        "recipients": serializers.ListField(child=serializers.CharField()),
        "topic": serializers.CharField(allow_null=True),
        "payload": serializers.DictField(),
        "channels": serializers.ListField(child=serializers.CharField(), allow_null=True),
        "received_at": serializers.DateTimeField(),
        "occurred_at": serializers.DateTimeField(),
        "send_at": serializers.DateTimeField(allow_null=True),
        "expires_at": serializers.DateTimeField(allow_null=True),
        "completed_at": serializers.DateTimeField(allow_null=True),
        "error": serializers.CharField(allow_null=True),
        "counts": serializers.DictField(child=serializers.IntegerField(), required=False),
        "note": serializers.CharField(required=False),
        "links": LINKS,
    },
)
EventPage = inline_serializer(
    "EventPage",
    {
        "data": serializers.ListField(child=EventDetail),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=True),
    },
)
NotificationReceipt = inline_serializer(
    "NotificationReceipt",
    {
        "id": serializers.UUIDField(),
        "status": serializers.CharField(),
        "channel": serializers.CharField(),
        "to": serializers.CharField(),
        "created_at": serializers.DateTimeField(),
        "links": LINKS,
    },
)
EventBatch = inline_serializer("EventBatch", {"events": EventSerializer(many=True)})
NotifyBatch = inline_serializer("NotifyBatch", {"notifications": NotifySerializer(many=True)})
BatchResults = inline_serializer(
    "BatchResults",
    {
        "results": inline_serializer(
            "BatchResult",
            {
                "index": serializers.IntegerField(),
                "id": serializers.UUIDField(allow_null=True),
                "status": serializers.ChoiceField(["accepted", "duplicate", "rejected"]),
                "problem": serializers.DictField(required=False),
            },
            many=True,
        )
    },
)
Decision = inline_serializer(
    "Decision",
    {
        "rule": serializers.CharField(),
        "outcome": serializers.ChoiceField(OUTCOMES),
        "detail": serializers.CharField(),
    },
)
Foreseen = inline_serializer(
    "ForeseenNotification",
    {
        "user_id": serializers.CharField(allow_null=True),
        "channel": serializers.CharField(),
        "to": serializers.CharField(),
        "status": serializers.CharField(),
        "reason": serializers.CharField(allow_null=True),
        "due_at": serializers.DateTimeField(allow_null=True),
        "template": serializers.CharField(allow_null=True),
        "template_version": serializers.IntegerField(allow_null=True),
        "subject": serializers.CharField(),
        "body": serializers.CharField(),
        "html": serializers.CharField(allow_null=True),
        "payload": serializers.DictField(allow_null=True),
        "decisions": serializers.ListField(child=Decision),
    },
)
DRY: dict[str, Any] = {
    "dry_run": serializers.BooleanField(),
    "status": serializers.ChoiceField(["accepted", "duplicate"]),
    "notifications": serializers.ListField(child=Foreseen),
}
SendDryRun = inline_serializer("SendDryRun", DRY)
EventDryRun = inline_serializer(
    "EventDryRun",
    DRY
    | {
        "id": serializers.UUIDField(required=False, help_text="Of the event that this one would repeat"),
        "event_type": serializers.CharField(),
        "note": serializers.CharField(allow_null=True),
        "channels": serializers.ListField(child=serializers.CharField(), allow_null=True),
        "category": serializers.CharField(allow_null=True),
        "critical": serializers.BooleanField(),
        "has_more": serializers.BooleanField(help_text="Whether there are more recipients than the first 100"),
        "left_out": serializers.ListField(child=serializers.DictField(child=serializers.CharField())),
    },
)
EVENT_EXAMPLES = [
    OpenApiExample(
        "An order",
        request_only=True,
        value={"event_type": "ORDER_CREATED", "user_id": "u1", "payload": {"order_id": 7}},
    ),
    OpenApiExample(
        "Everybody", request_only=True, value={"event_type": "MAINTENANCE", "topic": "all", "channels": ["email"]}
    ),
]
NOTIFY_EXAMPLES = [
    OpenApiExample(
        "A template",
        request_only=True,
        value={"channel": "email", "to": "user@example.com", "template": "welcome_email", "data": {"name": "Ann"}},
    ),
    OpenApiExample(
        "Inline words",
        request_only=True,
        value={"channel": "email", "to": "user@example.com", "subject": "Hello", "body": "It works."},
    ),
]
