"""The Slack channel against a strict peer: payload and faults."""

from collections.abc import Callable

import pytest

from delivery_gateway.channels.slack import BLOCK_TEXT, HEADER, SECTION, SPEC, Slack, payload
from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Message,
    Misconfigured,
    Throttled,
    Transient,
)
from delivery_gateway.egress import Egress
from tests.peers.slack import SlackPeer

Build = Callable[..., Message]


def test_the_payload_is_that_of_the_contract(slack_peer: SlackPeer, egress: Egress, message: Build) -> None:
    receipt = Slack(egress).send(message(slack_peer.url, "slack"))

    (request,) = slack_peer.received
    assert request.json == {
        "text": "Order 7 created\nThank you, Ada.",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Order 7 created"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "Thank you, Ada."}},
        ],
    }
    assert (receipt.detail, receipt.http_status) == ("ok", 200)


@pytest.mark.parametrize(
    ("fault", "expected", "code"),
    [
        ("400", ContentRejected, "invalid_payload"),
        ("403", Misconfigured, "invalid_token"),
        ("404", Misconfigured, "no_service"),
        ("410", Misconfigured, "channel_is_archived"),
        ("429:2", Throttled, "rate_limited"),
        ("500", Transient, "rollup_error"),
        ("503", Transient, "fatal_error"),
        ("redirect:https://elsewhere.example/", Misconfigured, "redirect"),
        ("reset", Ambiguous, "connection_lost"),
        ("hang", Ambiguous, "timeout"),
        ("trickle", Ambiguous, "timeout"),
        ("truncate", Ambiguous, "connection_lost"),
    ],
)
def test_each_fault_has_its_class(
    fault: str, expected: type[DeliveryError], code: str, slack_peer: SlackPeer, hasty: Egress, message: Build
) -> None:
    slack_peer.script(fault)

    with pytest.raises(DeliveryError) as caught:
        Slack(hasty).send(message(slack_peer.url, "slack"))

    assert (type(caught.value), caught.value.code) == (expected, code)
    assert caught.value.retry_after == (2.0 if expected is Throttled else None)
    assert "secret-of-the-hook" not in repr(caught.value) + caught.value.detail


def test_after_two_failures_the_third_try_arrives(slack_peer: SlackPeer, egress: Egress, message: Build) -> None:
    slack_peer.script("500", "500")
    channel, sent = Slack(egress), message(slack_peer.url, "slack")
    for _ in range(2):
        with pytest.raises(Transient):
            channel.send(sent)

    assert channel.send(sent).http_status == 200


@pytest.mark.parametrize(
    "text", ["<!channel>", "<!here|x>", "<@U123>", "<https://evil.example|https://bank.example>", "&lt;"]
)
def test_what_a_customer_typed_neither_mentions_nor_links(text: str, message: Build) -> None:
    made = payload(message("https://hook", subject="", body=text))

    shown = made["blocks"][0]["text"]["text"]
    assert not set("<>") & set(shown + made["text"])
    assert shown == text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("s" * 1_000, "b" * 100_000),
        ("&" * 1_000, "<" * 100_000),
        ("", "a line\n" * 10_000),
        ("", "wörter und mehr " * 5_000),
        ("only a subject", ""),
        ("", "only a body"),
    ],
)
def test_any_length_is_taken(subject: str, body: str, slack_peer: SlackPeer, egress: Egress, message: Build) -> None:
    assert Slack(egress).send(message(slack_peer.url, "slack", subject=subject, body=body)).http_status == 200

    blocks = slack_peer.received[0].json["blocks"]
    lengths = [len(block["text"]["text"]) for block in blocks]
    assert max(lengths) <= SECTION
    assert sum(lengths) <= BLOCK_TEXT
    assert all(len(b["text"]["text"]) <= HEADER for b in blocks if b["type"] == "header")


def test_long_texts_are_cut_between_entities_and_lines(message: Build) -> None:
    blocks = payload(message("https://hook", subject="", body="a & b\n" * 1_000))["blocks"]

    texts = [block["text"]["text"] for block in blocks]
    assert all(line == "a &amp; b" for text in texts for line in text.split("\n"))
    assert sum(text.count("a &amp; b") for text in texts) == 1_000


def test_an_empty_message_is_the_contents_fault(slack_peer: SlackPeer, egress: Egress, message: Build) -> None:
    with pytest.raises(ContentRejected) as caught:
        Slack(egress).send(message(slack_peer.url, "slack", subject=" ", body=""))

    assert caught.value.code == "no_text"


@pytest.mark.parametrize(
    "address", ["", "#general", "hooks.slack.com/services/x", "ftp://x.example", "https://u:p@x.example"]
)
def test_an_address_is_a_url(address: str) -> None:
    with pytest.raises(ValueError, match=r"^The URL "):
        SPEC.validate_address(address)


def test_an_address_is_kept_as_given() -> None:
    url = "https://hooks.slack.com/services/T0/B0/XyZ"

    assert SPEC.validate_address(f" {url}\n") == url
