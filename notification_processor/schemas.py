"""The shapes of answers, for the OpenAPI document only."""

from copy import deepcopy

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, inline_serializer
from rest_framework import serializers

from delivery_gateway.schemas import SUMMARY, Decision
from traffic_control.openapi import LIMIT

PAGING = [
    LIMIT,
    OpenApiParameter("cursor", str, description="next_cursor of the page before"),
]
EXPLAIN_PARAMETERS = [
    OpenApiParameter("event_id", OpenApiTypes.UUID, description="With `user_id`"),
    OpenApiParameter("user_id", str, description="With `event_id`"),
    OpenApiParameter(
        "notification_id", OpenApiTypes.UUID, description="Alone: with all that the same event meant for them"
    ),
]
LeftOut = inline_serializer(
    "LeftOutChannel",
    {"channel": serializers.CharField(), "rule": serializers.CharField(), "detail": serializers.CharField()},
)
Explanation = inline_serializer(
    "Explanation",
    {
        "summary": serializers.CharField(help_text="For people"),
        "user_id": serializers.CharField(allow_null=True),
        "event": inline_serializer(
            "ExplainedEvent",
            {
                "id": serializers.UUIDField(),
                "event_type": serializers.CharField(),
                "received_at": serializers.DateTimeField(),
            },
            allow_null=True,
        ),
        "notifications": serializers.ListField(
            child=inline_serializer(
                "ExplainedNotification",
                SUMMARY
                | {
                    "summary": serializers.CharField(),
                    "decisions": serializers.ListField(child=deepcopy(Decision)),
                    "links": serializers.DictField(child=serializers.CharField()),
                },
            )
        ),
        "left_out": serializers.ListField(child=LeftOut),
    },
)
Template = inline_serializer(
    "Template",
    {
        "id": serializers.UUIDField(),
        "name": serializers.CharField(),
        "channel": serializers.CharField(),
        "locale": serializers.CharField(),
        "version": serializers.IntegerField(),
        "subject": serializers.CharField(),
        "body": serializers.CharField(),
        "html": serializers.CharField(allow_null=True),
        "is_starter": serializers.BooleanField(help_text="Came with the tenant and was not changed since"),
        "created_at": serializers.DateTimeField(),
        "updated_at": serializers.DateTimeField(),
    },
)
Workflow = inline_serializer(
    "Workflow",
    {
        "id": serializers.UUIDField(),
        "event_type": serializers.CharField(),
        "channels": serializers.ListField(child=serializers.CharField()),
        "template": serializers.CharField(allow_null=True),
        "category": serializers.CharField(allow_null=True),
        "critical": serializers.BooleanField(),
        "is_active": serializers.BooleanField(),
        "is_starter": serializers.BooleanField(help_text="Came with the tenant and was not changed since"),
        "quiet_hours": serializers.CharField(help_text="hold, digest, drop or ignore"),
        "dedup_key": serializers.ListField(child=serializers.CharField()),
        "dedup_window": serializers.IntegerField(allow_null=True, help_text="Seconds"),
        "created_at": serializers.DateTimeField(),
        "updated_at": serializers.DateTimeField(),
    },
)


def _page(name: str, item: serializers.Serializer) -> serializers.Serializer:
    return inline_serializer(
        name,
        {
            "data": serializers.ListField(child=item),
            "has_more": serializers.BooleanField(),
            "next_cursor": serializers.CharField(allow_null=True),
        },
    )


TemplatePage = _page("TemplatePage", Template)
TemplateVersionPage = _page(
    "TemplateVersionPage",
    inline_serializer(
        "TemplateVersion",
        {
            "version": serializers.IntegerField(),
            "subject": serializers.CharField(),
            "body": serializers.CharField(),
            "html": serializers.CharField(allow_null=True),
            "is_starter": serializers.BooleanField(),
            "created_at": serializers.DateTimeField(),
        },
    ),
)
WorkflowPage = _page("WorkflowPage", Workflow)
Preview = inline_serializer(
    "Preview",
    {
        "version": serializers.IntegerField(),
        "rendered": serializers.DictField(child=serializers.CharField(allow_null=True), allow_null=True),
        "missing_variables": serializers.ListField(child=serializers.CharField()),
        "length": serializers.DictField(child=serializers.IntegerField(allow_null=True), allow_null=True),
        "error": serializers.DictField(allow_null=True),
    },
)
TEMPLATE_EXAMPLES = [
    OpenApiExample(
        "A welcome",
        request_only=True,
        value={"name": "welcome_email", "channel": "email", "subject": "Hi {{ name }}", "body": "Welcome, {{ name }}."},
    )
]
WORKFLOW_EXAMPLES = [
    OpenApiExample(
        "Orders",
        request_only=True,
        value={
            "event_type": "ORDER_CREATED",
            "channels": ["email", "slack"],
            "template": "order_created",
            "category": "orders",
        },
    )
]
