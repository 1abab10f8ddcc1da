"""What tenants may say, and how it is told to the pipeline."""

import re
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from delivery_gateway.registry import CHANNELS
from notification_processor.audience import TOPIC_ALL
from notification_processor.direct import DirectSend
from notification_processor.events import NewEvent
from notification_processor.models import Event
from traffic_control.serializers import ChannelField, StrictSerializer
from user_preferences.customers import RecipientInput
from user_preferences.serializers import RecipientSerializer

CHANNEL_NAMES = tuple(CHANNELS)
MAX_RECIPIENTS = 1_000
EVENT_TYPE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.:-]*\Z")
PRINTABLE = re.compile(r"^[\x21-\x7e]+\Z")
PRIORITIES = {"low": Event.Priority.LOW, "normal": Event.Priority.NORMAL, "high": Event.Priority.HIGH}


class TimingSerializer(StrictSerializer):
    """When to send, when to stop trying, and what goes first."""

    send_at = serializers.DateTimeField(required=False)
    expires_at = serializers.DateTimeField(required=False)
    priority = serializers.ChoiceField(choices=list(PRIORITIES), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        expires: datetime | None = attrs.get("expires_at")
        starts: datetime = max(attrs.get("send_at") or timezone.now(), timezone.now())
        if expires is not None and expires <= starts:
            raise serializers.ValidationError(
                {"expires_at": f"{expires.isoformat()} is not after the time of sending."}
            )
        return attrs


class EventSerializer(TimingSerializer):
    """`POST /api/events/`: what happened, and to whom: `user_id`, `recipients` or `topic`."""

    aliases = {"type": "event_type", "data": "payload"}

    event_type = serializers.RegexField(
        EVENT_TYPE,
        max_length=128,
        error_messages={"invalid": "Use letters, digits and _ . : - only, e.g. ORDER_CREATED or order.created."},
    )
    user_id = serializers.CharField(max_length=128, required=False)
    recipients = serializers.ListField(required=False, allow_empty=False)
    topic = serializers.CharField(max_length=64, required=False)
    payload = serializers.DictField(required=False)
    channels = serializers.ListField(child=ChannelField(channels=CHANNEL_NAMES), required=False, allow_empty=False)
    idempotency_key = serializers.RegexField(PRINTABLE, max_length=255, required=False)
    occurred_at = serializers.DateTimeField(required=False)

    def validate_topic(self, value: str) -> str:
        if value != TOPIC_ALL:
            raise serializers.ValidationError(f'There is no topic "{value}". The topic of every customer is "all".')
        return value

    def validate_recipients(self, value: list[Any]) -> list[Any]:
        if len(value) > MAX_RECIPIENTS:
            message = f"{len(value):,} recipients; one event takes {MAX_RECIPIENTS:,}. Split the call, or use a topic."
            raise serializers.ValidationError(message)
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate(attrs)
        said = [name for name in ("user_id", "recipients", "topic") if name in attrs]
        if len(said) != 1:
            got = f"{' and '.join(said)} were sent" if said else "none was sent"
            raise serializers.ValidationError(f"Say who it is for with one of user_id, recipients, topic; {got}.")
        attrs["inline"], attrs["listed"] = _people(attrs)
        return attrs


def _people(attrs: dict[str, Any]) -> tuple[tuple[RecipientInput, ...], tuple[str, ...]]:
    """Inline recipients, and the user_ids of all, each once, in order."""
    if "user_id" in attrs:
        return (), (attrs["user_id"],)
    inline, listed, errors = [], [], {}
    for index, recipient in enumerate(attrs.get("recipients", [])):
        given = {"user_id": recipient} if isinstance(recipient, str) else recipient
        parsed = RecipientSerializer(data=given)
        if not parsed.is_valid():
            errors[str(index)] = parsed.errors
            continue
        person = parsed.to_recipient()
        listed.append(person.user_id)
        if not isinstance(recipient, str):
            inline.append(person)
    if errors:
        raise serializers.ValidationError({"recipients": errors})
    return tuple(inline), tuple(dict.fromkeys(listed))


def validated_event(data: dict[str, Any]) -> NewEvent:
    channels = data.get("channels")
    return NewEvent(
        event_type=data["event_type"],
        recipients=data["listed"],
        inline=data["inline"],
        topic=data.get("topic", ""),
        payload=data.get("payload", {}),
        channels=tuple(dict.fromkeys(channels)) if channels else None,
        idempotency_key=data.get("idempotency_key"),
        occurred_at=data.get("occurred_at"),
        send_at=data.get("send_at"),
        expires_at=data.get("expires_at"),
        priority=PRIORITIES[data.get("priority", "normal")],
    )


class NotifySerializer(TimingSerializer):
    """`POST /v1/notify/`: what to send: `to` or `user_id`, `template` or inline words."""

    channel = ChannelField(channels=CHANNEL_NAMES)
    to = serializers.CharField(max_length=2_048, required=False)
    user_id = serializers.CharField(max_length=128, required=False)
    template = serializers.CharField(max_length=100, required=False)
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # shadows a property
    subject = serializers.CharField(max_length=998, required=False, allow_blank=True)
    body = serializers.CharField(max_length=65_536, required=False, trim_whitespace=False)
    html = serializers.CharField(max_length=131_072, required=False, trim_whitespace=False)
    locale = serializers.CharField(max_length=35, required=False)
    category = serializers.CharField(max_length=64, required=False)
    critical = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate(attrs)
        if ("to" in attrs) == ("user_id" in attrs):
            raise serializers.ValidationError(
                {"to": "Send either to (an address) or user_id (a customer), not both or none."}
            )
        inline = [name for name in ("subject", "body", "html") if attrs.get(name)]
        if "template" in attrs and inline:
            raise serializers.ValidationError(
                {inline[0]: f"A template brings its own words; leave out {', '.join(inline)}."}
            )
        if "template" not in attrs and not (attrs.get("body") or attrs.get("html")):
            raise serializers.ValidationError(
                {"template": "Send a template's name, or inline words in body (or html)."}
            )
        if attrs["channel"] == "in_app" and "to" in attrs:
            raise serializers.ValidationError({"to": "in_app goes to a customer; send user_id instead of to."})
        return attrs


def validated_send(data: dict[str, Any]) -> DirectSend:
    return DirectSend(
        channel=data["channel"],
        to=data.get("to", ""),
        user_id=data.get("user_id", ""),
        template=data.get("template", ""),
        subject=data.get("subject", ""),
        body=data.get("body", ""),
        html=data.get("html", ""),
        data=data.get("data") if "template" not in data else data.get("data", {}),
        locale=data.get("locale", ""),
        category=data.get("category", ""),
        is_critical=data.get("critical", False),
        send_at=data.get("send_at"),
        expires_at=data.get("expires_at"),
        priority=PRIORITIES[data.get("priority", "normal")],
    )


class EventBatchSerializer(StrictSerializer):
    """Up to 1,000 events; each is judged alone."""

    events = serializers.ListField(allow_empty=False, max_length=1_000)


class NotifyBatchSerializer(StrictSerializer):
    """Up to 1,000 direct sends; each is judged alone."""

    notifications = serializers.ListField(allow_empty=False, max_length=1_000)
