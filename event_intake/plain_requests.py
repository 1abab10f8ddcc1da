"""Requests of the usual shape, read at a tenth of what serializers cost.

Nothing is refused here. What is not plainly right (a type, a length, a blank too many, a field that is rarely sent) is
left to the serializer, which decides and explains: whatever is read here, it would read the same.
"""

from collections.abc import Mapping
from typing import Any

from delivery_gateway.registry import CHANNELS
from event_intake.serializers import (
    EVENT_TYPE,
    PRINTABLE,
    PRIORITIES,
    EventSerializer,
    NotifySerializer,
    validated_event,
    validated_send,
)
from notification_processor.audience import TOPIC_ALL
from notification_processor.direct import DirectSend
from notification_processor.events import NewEvent

WORDS = {"body": 65_536, "html": 131_072}  # characters; kept with the blanks around them
SEND = {"to": 2_048, "user_id": 128, "template": 100, "subject": 998, "locale": 35, "category": 64}
SEND_NAMES = {"channel", "data", "critical", "priority", *SEND, *WORDS}
EVENT = {"event_type": 128, "user_id": 128, "topic": 64, "idempotency_key": 255}
EVENT_NAMES = {"payload", "priority", *EVENT}


def send_of(data: Any) -> DirectSend:
    """The body of `POST /v1/notify/`. Raises ValidationError."""
    return plain_send(data) or validated_send(NotifySerializer.read(data))


def event_of(data: Any) -> NewEvent:
    """The body of `POST /api/events/`. Raises ValidationError."""
    return plain_event(data) or validated_event(EventSerializer.read(data))


def plain_send(data: Any) -> DirectSend | None:
    """None when the serializer has to look."""
    is_plain = type(data) is dict and data.keys() <= SEND_NAMES and _is_plain_send(data)
    return validated_send(data) if is_plain else None


def plain_event(data: Any) -> NewEvent | None:
    """None when the serializer has to look."""
    if type(data) is not dict or not data.keys() <= EVENT_NAMES or not _is_plain_event(data):
        return None
    return validated_event(data | {"listed": (data["user_id"],) if "user_id" in data else (), "inline": ()})


def _is_plain_send(data: dict[str, Any]) -> bool:
    channel, has_template = data.get("channel"), "template" in data
    return (
        type(channel) is str
        and channel in CHANNELS
        and ("to" in data) != ("user_id" in data)
        and (channel != "in_app" or "to" not in data)
        and has_template != ("body" in data or "html" in data)
        and not (has_template and "subject" in data)
        and all(_is_plain(data[name], most) for name, most in SEND.items() if name in data)
        and all(_is_text(data[name], most) for name, most in WORDS.items() if name in data)
        and type(data.get("data", {})) is dict
        and type(data.get("critical", False)) is bool
        and _is_priority(data)
    )


def _is_plain_event(data: dict[str, Any]) -> bool:
    return (
        "event_type" in data
        and ("user_id" in data) != ("topic" in data)
        and all(_is_plain(data[name], most) for name, most in EVENT.items() if name in data)
        and EVENT_TYPE.match(data["event_type"]) is not None
        and data.get("topic", TOPIC_ALL) == TOPIC_ALL
        and PRINTABLE.match(data.get("idempotency_key", "-")) is not None
        and type(data.get("payload", {})) is dict
        and _is_priority(data)
    )


def _is_plain(value: Any, most: int) -> bool:
    """Whether nothing would be trimmed from it."""
    return _is_text(value, most) and value == value.strip()


def _is_text(value: Any, most: int) -> bool:
    return type(value) is str and 0 < len(value) <= most


def _is_priority(data: Mapping[str, Any]) -> bool:
    priority = data.get("priority", "normal")
    return type(priority) is str and priority in PRIORITIES
