"""Bodies and the shapes of answers."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from inbox import answers, lists, tokens
from traffic_control.openapi import LIMIT
from traffic_control.serializers import StrictSerializer
from user_preferences.serializers import ChoicesSerializer, QuietHoursSerializer

MOST_IDS = 200


class MarksSerializer(StrictSerializer):
    """What becomes of a message; what is left out stays."""

    read = serializers.BooleanField(  # type: ignore[assignment]  # which is a class method above
        required=False, help_text="True implies seen"
    )
    seen = serializers.BooleanField(required=False, help_text="False implies unread")
    archived = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"read", "seen", "archived"}:
            raise serializers.ValidationError("Say what becomes of it: read, seen or archived.")
        return attrs


class FilterSerializer(StrictSerializer):
    status = serializers.ChoiceField(lists.STATUSES, required=False)
    category = serializers.CharField(max_length=64, required=False)
    workflow = serializers.CharField(max_length=128, required=False)


class MarkManySerializer(MarksSerializer):
    """Some messages by their ids, or all that a filter finds among those the reader has been shown."""

    ids = serializers.ListField(child=serializers.UUIDField(), required=False, allow_empty=False, max_length=MOST_IDS)
    filter = FilterSerializer(required=False)
    before = serializers.DateTimeField(required=False, help_text="Messages that came by then; for a filter")
    up_to = serializers.IntegerField(
        required=False, min_value=0, help_text="The counts.version that was shown; as `before`, and exact"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError("Send either ids or a filter; {} is the filter for all.")
        if "filter" in attrs and not attrs.keys() & {"before", "up_to"}:
            raise serializers.ValidationError(
                "A filter needs before or up_to: what arrives meanwhile has not been seen, and stays unread."
            )
        return super().validate(attrs)


class TokenSerializer(StrictSerializer):
    """A token to be issued."""

    expires_in = serializers.IntegerField(default=3_600, min_value=60, max_value=tokens.LONGEST, help_text="Seconds")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(tokens.SCOPES), required=False, allow_empty=False, help_text="Default: all"
    )


LIST_PARAMETERS = [
    OpenApiParameter("status", str, enum=lists.STATUSES, description="Default: all but what is archived"),
    OpenApiParameter("category", str),
    OpenApiParameter("workflow", str, description="The type of the event"),
    OpenApiParameter("since", int, description="A counts.version: only what arrived after it"),
    LIMIT,
    OpenApiParameter("cursor", str, description="next_cursor of the page before"),
    OpenApiParameter(
        "If-None-Match", str, "header", description="The ETag of the answer before: 304 if all is as it was"
    ),
]


def _text(**options: Any) -> serializers.CharField:
    return serializers.CharField(**options)


def _time() -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=True)


Counts = inline_serializer(
    "InboxCounts",
    {
        "total": serializers.IntegerField(help_text="Not archived"),
        "unread": serializers.IntegerField(),
        "unseen": serializers.IntegerField(),
        "version": serializers.IntegerField(help_text="Grows with every change of the inbox"),
    },
)
Action = inline_serializer(
    "InboxAction",
    {
        "key": _text(),
        "label": _text(),
        "url": _text(allow_null=True),
        "style": serializers.ChoiceField(answers.STYLES),
        "completed_at": _time(),
    },
)
ITEM: dict[str, serializers.Field] = {
    "id": serializers.UUIDField(),
    "seq": serializers.IntegerField(help_text="The version of the inbox that it arrived with"),
    "workflow": _text(allow_null=True, help_text="The type of the event"),
    "category": _text(allow_null=True),
    "tags": serializers.ListField(child=_text()),
    "title": _text(),
    "body": _text(help_text="Plain text"),
    "avatar": _text(allow_null=True),
    "severity": serializers.ChoiceField(answers.SEVERITIES),
    "actions": serializers.ListField(child=Action),
    "redirect_url": _text(allow_null=True),
    "data": serializers.DictField(),
    "created_at": serializers.DateTimeField(),
    "seen_at": _time(),
    "read_at": _time(),
    "archived_at": _time(),
}
Item = inline_serializer("InboxItem", ITEM)
ItemPage = inline_serializer(
    "InboxPage",
    {
        "data": serializers.ListField(child=Item),
        "counts": Counts,
        "has_more": serializers.BooleanField(),
        "next_cursor": _text(allow_null=True),
    },
)
STATE: dict[str, serializers.Field] = {
    "enabled": serializers.BooleanField(),
    "default": serializers.BooleanField(help_text="What holds without a choice"),
}
Category = inline_serializer(
    "OwnCategory",
    {
        "key": _text(help_text="As a body names it; `*`: essential messages without a category"),
        "name": _text(help_text="As people read it"),
        "locked": serializers.BooleanField(help_text="All of it is essential, and always sent"),
        "has_essential": serializers.BooleanField(help_text="Some of it is"),
        "channels": serializers.DictField(
            child=inline_serializer(
                "OwnChoice", STATE | {"muted": serializers.BooleanField(help_text="The channel is off as a whole")}
            )
        ),
    },
)
OWN: dict[str, serializers.Field] = {
    "sender": _text(help_text="The tenant's name"),
    "channels": serializers.DictField(child=inline_serializer("OwnChannel", STATE)),
    "categories": serializers.ListField(child=Category),
    "quiet_hours": QuietHoursSerializer(allow_null=True),
    "timezone": _text(allow_null=True, help_text="The user's own"),
    "default_timezone": _text(help_text="Of quiet hours that name none"),
    "decline_all": serializers.DictField(help_text="The body that turns off all that may be declined"),
}
OwnPreferences = inline_serializer("OwnPreferences", OWN)
ChangedPreferences = inline_serializer(
    "ChangedPreferences", OWN | {"undo": serializers.DictField(help_text="The body that takes this change back")}
)


class OwnChoices(ChoicesSerializer):
    """As `/v1/preferences/{user_id}/` takes them; a category must be one of those shown, and not locked."""

    text_version = serializers.CharField(
        max_length=40, required=False, help_text="Of the words the user had seen; kept in the consent log"
    )


Marked = inline_serializer("InboxMarked", {"counts": Counts})
Token = inline_serializer(
    "InboxToken", {"token": _text(help_text="For this one user"), "expires_at": serializers.DateTimeField()}
)
