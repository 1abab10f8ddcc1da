"""What is read without the serializer is read as the serializer would."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_intake.plain_requests import plain_event, plain_send
from event_intake.serializers import EventSerializer, NotifySerializer, validated_event, validated_send

WORDS = st.sampled_from(
    ["a", "order.created", " trimmed ", "", " ", "\n", "ünïcode", "a b", "all", "x" * 130, "é" * 999]
)
ODD = st.sampled_from([None, 7, 1.5, True, [], ["email"], {}, {"a": 1}, {"": None}])
VALUES = WORDS | ODD
CHANNELS = st.sampled_from(["email", "slack", "in_app", "fax", "Email", "email "]) | ODD
PRIORITY = st.sampled_from(["low", "normal", "high", "urgent", ""]) | ODD
SEND = {
    "channel": CHANNELS,
    "to": VALUES,
    "user_id": VALUES,
    "template": VALUES,
    "data": ODD,
    "subject": VALUES,
    "body": VALUES,
    "html": VALUES,
    "locale": VALUES,
    "category": VALUES,
    "critical": ODD | WORDS,
    "priority": PRIORITY,
    "tempalte": VALUES,
}
EVENT = {
    "event_type": VALUES,
    "user_id": VALUES,
    "topic": VALUES,
    "payload": ODD,
    "idempotency_key": VALUES,
    "priority": PRIORITY,
    "type": VALUES,
}


def some_of(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@given(some_of(SEND))
@example({"channel": "email", "to": "a", "template": "order", "data": {"id": 7}})
@example({"channel": "email", "to": "a", "subject": "Hi", "body": " there "})
@example({"channel": "in_app", "user_id": "u1", "html": "<p>", "critical": True, "priority": "high", "data": {}})
def test_a_send_is_read_as_the_serializer_reads_it(data):
    plain = plain_send(data)

    if plain is not None:
        assert plain == validated_send(NotifySerializer.read(data))


@given(some_of(EVENT))
@example({"event_type": "ORDER", "user_id": "u1", "payload": {"id": 7}})
@example({"event_type": "ORDER", "topic": "all", "idempotency_key": "k"})
def test_an_event_is_read_as_the_serializer_reads_it(data):
    plain = plain_event(data)

    if plain is not None:
        assert plain == validated_event(EventSerializer.read(data))


@pytest.mark.parametrize(
    "data",
    [
        {"channel": "email", "to": "a@example.com", "template": "order", "data": {"id": 7}},
        {"channel": "webhook", "user_id": "u1", "body": "Hello", "subject": "Hi", "critical": False},
        {"channel": "slack", "user_id": "u1", "template": "order", "locale": "de", "priority": "high"},
    ],
)
def test_the_usual_send_needs_no_serializer(data):
    assert plain_send(data) is not None


@pytest.mark.parametrize(
    "data",
    [
        {"event_type": "ORDER_CREATED", "user_id": "u1", "payload": {"order_id": 7}},
        {"event_type": "news.published", "topic": "all", "idempotency_key": "2026-11-21"},
    ],
)
def test_the_usual_event_needs_no_serializer(data):
    assert plain_event(data) is not None
