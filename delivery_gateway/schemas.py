"""Bodies and the shapes of answers, for requests by filter and for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from delivery_gateway.circuit import State
from delivery_gateway.explaining import OUTCOMES
from delivery_gateway.replay_job import ReplayJob
from delivery_gateway.states import Status
from traffic_control.openapi import LIMIT
from traffic_control.serializers import StrictSerializer

PAGING = [
    LIMIT,
    OpenApiParameter("cursor", str, description="next_cursor of the page before"),
]
TIME = [
    OpenApiParameter("since", str, description="RFC 3339, inclusive"),
    OpenApiParameter("until", str, description="RFC 3339, exclusive"),
]
NOTIFICATION_PARAMETERS = [
    OpenApiParameter("status", str, enum=[s.value for s in Status]),
    *(OpenApiParameter(name, str) for name in ("channel", "user_id", "event_id", "template", "mode")),
    *TIME,
    *PAGING,
]
LETTERS = [
    *(OpenApiParameter(name, str) for name in ("channel", "code", "event_id", "replay_id")),
    OpenApiParameter("state", str, enum=["waiting", "replayed", "discarded"]),
    *TIME,
]
LETTER_PARAMETERS = [*LETTERS, OpenApiParameter("group_by", str, enum=["cause"]), *PAGING]
EXPORT_PARAMETERS = [*LETTERS, OpenApiParameter("as", str, enum=["csv", "jsonl"], description="csv when left out")]
SANDBOX_PARAMETERS = [
    *(OpenApiParameter(name, str) for name in ("to", "channel", "user_id", "event_id")),
    *TIME,
    *PAGING,
    OpenApiParameter("wait", float, description="Seconds to wait for the first message, at most 30"),
]


class ChoiceSerializer(StrictSerializer):
    """Which dead letters; none of the filters means all that wait."""

    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1_000)
    channel = serializers.CharField(max_length=20, required=False)
    code = serializers.CharField(max_length=100, required=False)
    event_id = serializers.UUIDField(required=False)


class ReplaySerializer(ChoiceSerializer):
    """Which dead letters to send again, at once."""

    dry_run = serializers.BooleanField(default=False)


class ReplayJobSerializer(ChoiceSerializer):
    """Which dead letters to send again in the background, and how many a second at most."""

    rate = serializers.IntegerField(min_value=1, max_value=100_000, required=False)


class DiscardSerializer(ChoiceSerializer):
    """Which dead letters to put away, and why."""

    reason = serializers.CharField(max_length=200)
    dry_run = serializers.BooleanField(default=False)


def _text(**options: Any) -> serializers.CharField:
    return serializers.CharField(**options)


def _page(name: str, item: serializers.Serializer) -> serializers.Serializer:
    return inline_serializer(
        name,
        {
            "data": serializers.ListField(child=item),
            "has_more": serializers.BooleanField(),
            "next_cursor": _text(allow_null=True),
        },
    )


_STATUS = [s.value for s in Status]
SUMMARY: dict[str, Any] = {
    "id": serializers.UUIDField(),
    "status": serializers.ChoiceField(_STATUS),
    "mode": serializers.ChoiceField(["live", "test"]),
    "channel": _text(),
    "to": _text(),
    "subject": _text(),
    "event_id": serializers.UUIDField(allow_null=True),
    "event_type": _text(allow_null=True),
    "user_id": _text(allow_null=True),
    "template": _text(allow_null=True),
    "template_version": serializers.IntegerField(allow_null=True),
    "reason": _text(allow_null=True),
    "attempts": serializers.IntegerField(),
    "due_at": serializers.DateTimeField(allow_null=True),
    "sent_at": serializers.DateTimeField(allow_null=True),
    "created_at": serializers.DateTimeField(),
    "error": serializers.DictField(child=serializers.CharField(), allow_null=True),
}
Decision = inline_serializer(
    "NotificationDecision",
    {
        "rule": _text(),
        "outcome": serializers.ChoiceField(OUTCOMES),
        "detail": _text(),
        "until": serializers.DateTimeField(allow_null=True, help_text="Of a delay that still lasts"),
    },
)
Digest = inline_serializer(
    "NotificationDigest",
    {
        "count": serializers.IntegerField(),
        "more": serializers.IntegerField(help_text="Those of them that are not among the items"),
        "first_at": serializers.DateTimeField(),
        "last_at": serializers.DateTimeField(),
        "items": serializers.ListField(child=serializers.DictField(), help_text="The first 50, oldest first"),
    },
    allow_null=True,
    help_text="What a digest stands for",
)
NotificationSummary = inline_serializer("NotificationSummary", SUMMARY)
NotificationPage = _page("NotificationPage", NotificationSummary)
NotificationDetail = inline_serializer(
    "NotificationDetail",
    SUMMARY
    | {
        "body": _text(),
        "html": _text(allow_null=True),
        "category": _text(allow_null=True),
        "critical": serializers.BooleanField(),
        "detail": _text(allow_null=True),
        "decisions": serializers.ListField(child=Decision),
        "summary": _text(help_text="What became of it and why, for people"),
        "ambiguous": serializers.IntegerField(),
        "expires_at": serializers.DateTimeField(allow_null=True),
        "provider": _text(allow_null=True),
        "provider_message_id": _text(allow_null=True),
        "provider_response": _text(allow_null=True),
        "digest_id": serializers.UUIDField(allow_null=True, help_text="The digest in which it went out"),
        "digest": Digest,
        "timeline": serializers.ListField(child=serializers.DictField()),
    },
)
DeadLetterDetail = inline_serializer(
    "DeadLetter",
    {
        "id": serializers.UUIDField(),
        "notification": serializers.DictField(),
        "channel": _text(),
        "reason": _text(),
        "code": _text(),
        "retry_count": serializers.IntegerField(),
        "created_at": serializers.DateTimeField(),
        "replayed_at": serializers.DateTimeField(allow_null=True),
        "cleared_at": serializers.DateTimeField(
            allow_null=True, help_text="Since then its words are gone, and it cannot be sent again"
        ),
        "discarded_at": serializers.DateTimeField(allow_null=True),
        "discard_reason": _text(allow_null=True),
        "is_resolved": serializers.BooleanField(),
    },
)
DeadLetterPage = _page("DeadLetterPage", DeadLetterDetail)
ReplayCount = inline_serializer(
    "ReplayCount", {"count": serializers.IntegerField(), "replayed": serializers.IntegerField()}
)
DiscardCount = inline_serializer(
    "DiscardCount", {"count": serializers.IntegerField(), "discarded": serializers.IntegerField()}
)
_REPLAY: dict[str, Any] = {
    "id": serializers.UUIDField(),
    "state": serializers.ChoiceField(ReplayJob.State.values),
    "total": serializers.IntegerField(help_text="Letters that there were at the start"),
    "replayed": serializers.IntegerField(help_text="Of them, those that are sent again so far"),
    "rate": serializers.IntegerField(allow_null=True, help_text="Letters a second"),
    "filters": serializers.DictField(),
    "started_by": _text(allow_null=True),
    "created_at": serializers.DateTimeField(),
    "finished_at": serializers.DateTimeField(allow_null=True),
    "links": serializers.DictField(child=_text()),
}
ReplaySummary = inline_serializer("ReplaySummary", _REPLAY)
ReplayPage = _page("ReplayPage", ReplaySummary)
ReplayDetail = inline_serializer(
    "Replay",
    _REPLAY
    | {
        "outcomes": serializers.DictField(
            child=serializers.IntegerField(), help_text="Where the notifications are by now, by status"
        )
    },
)
SandboxMessageShape = inline_serializer(
    "SandboxMessage",
    {
        "id": serializers.UUIDField(),
        "channel": _text(),
        "to": _text(),
        "subject": _text(),
        "body": _text(),
        "html": _text(allow_null=True),
        "payload": serializers.DictField(allow_null=True),
        "event_id": serializers.UUIDField(allow_null=True),
        "event_type": _text(allow_null=True),
        "user_id": _text(allow_null=True),
        "created_at": serializers.DateTimeField(),
    },
)
SandboxPage = _page("SandboxPage", SandboxMessageShape)
CircuitShape = inline_serializer(
    "Circuit",
    {
        "channel": _text(),
        "provider": _text(),
        "state": serializers.ChoiceField([s.value for s in State]),
        "opened_at": serializers.DateTimeField(allow_null=True),
        "retry_at": serializers.DateTimeField(allow_null=True, help_text="When one message is tried."),
        "attempts": serializers.IntegerField(help_text="Calls in the last minute; of an open one, before it opened."),
        "failures": serializers.IntegerField(),
        "failure_ratio": serializers.FloatField(),
    },
)
CircuitPage = _page("CircuitPage", CircuitShape)
