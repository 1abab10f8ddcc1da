"""The webhook channel against a receiver that trusts only the public `standardwebhooks` library."""

import base64
from collections.abc import Callable

import pytest
from standardwebhooks import Webhook as PublicLibrary

from delivery_gateway.channels.webhook import SPEC, Webhook, read_headers, read_secret, read_type, sign
from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Message,
    Misconfigured,
    RecipientGone,
    Throttled,
    Transient,
)
from delivery_gateway.egress import Egress
from tests.adapters_contract.conftest import EVENT_ID, ID
from tests.peers.webhook import SECRET, WebhookPeer

Build = Callable[..., Message]
KEY = bytes(range(32))


def test_the_payload_is_that_of_the_contract(webhook_peer: WebhookPeer, egress: Egress, message: Build) -> None:
    receipt = Webhook(egress, (KEY,)).send(message(webhook_peer.url))

    (request,) = webhook_peer.received
    assert request.json == {
        "type": "ORDER_CREATED",
        "timestamp": "2026-01-01T12:00:00.000Z",
        "data": {
            "id": str(ID),
            "event_id": str(EVENT_ID),
            "user_id": "u1",
            "subject": "Order 7 created",
            "body": "Thank you, Ada.",
            "payload": {"order_id": 7},
        },
    }
    assert request.headers["webhook-id"] == request.headers["idempotency-key"] == str(ID)
    assert "." not in request.headers["webhook-id"]
    assert webhook_peer.accepted == {str(ID): request.json}
    assert receipt.http_status == 200


def test_the_signature_is_that_of_the_specification() -> None:
    body = b'{"type":"notification.delivered","timestamp":"2026-01-01T00:00:00Z","data":{"id":"ntf_1"}}'

    made = sign(read_secret(SECRET), "msg_demo1", 1767225600, body)

    assert read_secret(SECRET) == KEY
    assert made == "v1,ursnFS2qJ5FzIg4EAsN3+DKjdXvpaksLgbOpebs1/bg="


def test_the_public_library_verifies_what_is_sent(webhook_peer: WebhookPeer, egress: Egress, message: Build) -> None:
    Webhook(egress, (KEY,)).send(message(webhook_peer.url, body="Grüße 🙂", payload={"nested": {"a": [1, None]}}))

    (request,) = webhook_peer.received
    assert PublicLibrary(SECRET).verify(request.body, dict(request.headers)) == request.json


def test_every_attempt_has_the_same_id_and_body_and_its_own_time(
    webhook_peer: WebhookPeer, egress: Egress, message: Build
) -> None:
    webhook_peer.script("500", "500")
    moments = iter([1_767_225_600.0, 1_767_225_605.9, 1_767_225_700.0])
    channel, sent = Webhook(egress, (KEY,), clock=lambda: next(moments)), message(webhook_peer.url)
    for _ in range(3):
        with pytest.raises(DeliveryError):  # the last one because its time is long past
            channel.send(sent)

    ids, times, bodies, signatures = (
        [request.headers[name] for request in webhook_peer.received]
        if name != "body"
        else [request.body for request in webhook_peer.received]
        for name in ("webhook-id", "webhook-timestamp", "body", "webhook-signature")
    )
    assert set(ids) == {str(ID)}
    assert times == ["1767225600", "1767225605", "1767225700"]
    assert len(set(bodies)) == 1
    assert len(set(signatures)) == 3


def test_while_a_secret_is_rotated_both_sign(webhook_peer: WebhookPeer, egress: Egress, message: Build) -> None:
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    channel = SPEC.build({"secret": new, "previous_secret": SECRET}, egress)
    for secret in (SECRET, new):
        webhook_peer.secret = secret
        assert channel.send(message(webhook_peer.url)).http_status == 200


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("204", None),
        ("400", ContentRejected),
        ("401", Misconfigured),
        ("403", Misconfigured),
        ("404", Misconfigured),
        ("408", Transient),
        ("410", RecipientGone),
        ("413", ContentRejected),
        ("422", ContentRejected),
        ("425", Transient),
        ("429:9", Throttled),
        ("500", Transient),
        ("503:9", Transient),
        ("redirect:https://elsewhere.example/", Misconfigured),
        ("reset", Ambiguous),
        ("close", Ambiguous),
        ("hang", Ambiguous),
        ("trickle", Ambiguous),
        ("truncate", Ambiguous),
        ("huge:1000000", None),
    ],
)
def test_each_fault_has_its_class(
    fault: str, expected: type[DeliveryError] | None, webhook_peer: WebhookPeer, hasty: Egress, message: Build
) -> None:
    webhook_peer.script(fault)
    channel, sent = Webhook(hasty, (KEY,)), message(webhook_peer.url)

    if expected is None:
        assert channel.send(sent).http_status in (200, 204)
        return
    with pytest.raises(DeliveryError) as caught:
        channel.send(sent)
    assert type(caught.value) is expected
    assert caught.value.retry_after == (9.0 if fault.endswith(":9") else None)


def test_a_receiver_that_does_not_believe_us_is_misconfigured(
    webhook_peer: WebhookPeer, egress: Egress, message: Build
) -> None:
    with pytest.raises(Misconfigured, match="No matching signature"):
        Webhook(egress, (b"another key, 32 bytes in length!",)).send(message(webhook_peer.url))


def test_own_headers_are_sent_but_never_replace_the_signature(
    webhook_peer: WebhookPeer, egress: Egress, message: Build
) -> None:
    channel = SPEC.build({"secret": SECRET, "headers": "X-Env: production\nAuthorization: Bearer abc"}, egress)
    channel.send(message(webhook_peer.url))

    headers = webhook_peer.received[0].headers
    assert (headers["x-env"], headers["authorization"]) == ("production", "Bearer abc")
    assert headers["webhook-id"] == str(ID)


@pytest.mark.parametrize(
    "text",
    [
        "X-A",
        "X A: 1",
        "X-A: ü",
        "X-A: 1\x00",
        "Webhook-Id: 1",
        "Content-Length: 0",
        "Host: x",
        "Transfer-Encoding: chunked",
    ],
)
def test_headers_that_http_or_the_signature_own_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Hh]eader"):
        read_headers(text)


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        ("ORDER_CREATED", "ORDER_CREATED"),
        ("order.created", "order.created"),
        ("order created!", "order_created_"),
        ("order..created.", "order.created"),
        ("größe.neu", "gr_e.neu"),
        ("a-b", "a_b"),
        ("", "notification"),
        ("...", "notification"),
    ],
)
def test_a_type_is_made_of_segments(event_type: str, expected: str) -> None:
    assert read_type(event_type) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "whsec_AAEC",
        "whsec_?",
        "whsec_" + "A" * 88,
        "whsk_" + "A" * 44,
    ],
)
def test_a_secret_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        read_secret(text)


def test_secrets_are_not_part_of_the_representation(egress: Egress) -> None:
    channel = SPEC.build({"secret": SECRET, "headers": "Authorization: Bearer abc"}, egress)

    assert "Bearer" not in repr(channel)
    assert repr(KEY) not in repr(channel)
