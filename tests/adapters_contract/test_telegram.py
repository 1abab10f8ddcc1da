"""The Telegram channel against a strict peer: payload, faults, and its two second tries."""

from collections.abc import Callable

import pytest

from delivery_gateway.channels.telegram import MAX_TEXT, SPEC, Telegram
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
from tests.peers.telegram import TelegramPeer

Build = Callable[..., Message]


def bot(egress: Egress, peer: TelegramPeer) -> Telegram:
    return Telegram(egress, peer.token, peer.base_url)


def test_the_payload_is_that_of_the_contract(telegram_peer: TelegramPeer, egress: Egress, message: Build) -> None:
    receipt = bot(egress, telegram_peer).send(message("-1001234567890", "telegram", body="1 < 2 & <b>you</b>"))

    (request,) = telegram_peer.received
    assert request.target == f"/bot{telegram_peer.token}/sendMessage"
    assert request.json == {
        "chat_id": -1001234567890,
        "text": "<b>Order 7 created</b>\n\n1 &lt; 2 &amp; &lt;b&gt;you&lt;/b&gt;",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    assert (receipt.provider_id, receipt.detail, receipt.http_status) == ("1", "", 200)


def test_a_channels_name_is_sent_as_it_is(telegram_peer: TelegramPeer, egress: Egress, message: Build) -> None:
    bot(egress, telegram_peer).send(message("@acme_news", "telegram", subject=""))

    assert telegram_peer.received[0].json["chat_id"] == "@acme_news"
    assert telegram_peer.received[0].json["text"] == "Thank you, Ada."


def test_an_html_part_is_sent_as_markup(telegram_peer: TelegramPeer, egress: Egress, message: Build) -> None:
    bot(egress, telegram_peer).send(message("7", "telegram", subject="", html="<i>Thank</i> you"))

    assert telegram_peer.received[0].json["text"] == "<i>Thank</i> you"


@pytest.mark.parametrize(
    ("fault", "expected", "retry_after"),
    [
        ("400", ContentRejected, None),
        ("401", Misconfigured, None),
        ("403", RecipientGone, None),
        ("404", Misconfigured, None),
        ("429", Throttled, 7.0),
        ("500", Transient, None),
        ("502", Transient, None),
        ("redirect:https://elsewhere.example/", Misconfigured, None),
        ("reset", Ambiguous, None),
        ("hang", Ambiguous, None),
        ("trickle", Ambiguous, None),
        ("huge:100", Ambiguous, None),
    ],
)
def test_each_fault_has_its_class(
    fault: str,
    expected: type[DeliveryError],
    retry_after: float | None,
    telegram_peer: TelegramPeer,
    hasty: Egress,
    message: Build,
) -> None:
    telegram_peer.script(fault)

    with pytest.raises(DeliveryError) as caught:
        bot(hasty, telegram_peer).send(message("7", "telegram"))

    assert (type(caught.value), caught.value.retry_after) == (expected, retry_after)
    assert telegram_peer.token not in caught.value.detail + str(caught.value) + caught.value.code


def test_a_chat_nobody_knows_is_gone(telegram_peer: TelegramPeer, egress: Egress, message: Build) -> None:
    telegram_peer.unknown, telegram_peer.blocked = {8}, {9}

    for chat, words in (("8", "chat not found"), ("9", "bot was blocked")):
        with pytest.raises(RecipientGone, match=words):
            bot(egress, telegram_peer).send(message(chat, "telegram"))


def test_a_wrong_token_is_the_tenants_to_mend(telegram_peer: TelegramPeer, egress: Egress, message: Build) -> None:
    with pytest.raises(Misconfigured, match="Unauthorized"):
        Telegram(egress, "123:wrong", telegram_peer.base_url).send(message("7", "telegram"))


def test_markup_that_does_not_parse_is_sent_once_as_plain_text(
    telegram_peer: TelegramPeer, egress: Egress, message: Build
) -> None:
    receipt = bot(egress, telegram_peer).send(message("7", "telegram", html="<b>unclosed <p>"))

    first, second = telegram_peer.received
    assert (first.json["parse_mode"], "parse_mode" in second.json) == ("HTML", False)
    assert second.json["text"] == "Order 7 created\n\nThank you, Ada."
    assert receipt.detail.startswith("sent as plain text: Bad Request: can't parse entities")


def test_a_chat_that_moved_is_followed_once(telegram_peer: TelegramPeer, egress: Egress, message: Build) -> None:
    telegram_peer.moved = {7: -1007}
    receipt = bot(egress, telegram_peer).send(message("7", "telegram"))

    assert [request.json["chat_id"] for request in telegram_peer.received] == [7, -1007]
    assert receipt.detail == "the chat has moved to -1007"


def test_a_chat_that_moves_in_a_circle_is_given_up(telegram_peer: TelegramPeer, egress: Egress, message: Build) -> None:
    telegram_peer.moved = {7: 8, 8: 7}
    with pytest.raises(ContentRejected):
        bot(egress, telegram_peer).send(message("7", "telegram"))

    assert len(telegram_peer.received) == 2


@pytest.mark.parametrize("unit", ["b", "&", "<", "🙂", "word "])
def test_a_text_of_any_length_is_shortened(
    unit: str, telegram_peer: TelegramPeer, egress: Egress, message: Build
) -> None:
    for count in (MAX_TEXT // 2 - 20, MAX_TEXT, 100_000):
        sent = message("7", "telegram", body=unit * count)
        assert bot(egress, telegram_peer).send(sent).http_status == 200

    longest = telegram_peer.received[-1].json["text"]
    assert MAX_TEXT - 50 <= len(longest.encode("utf-16-le")) // 2 <= MAX_TEXT
    assert longest.endswith("…")


@pytest.mark.parametrize("address", ["", "seven", "@a b", "+49123", "1" * 30, "https://t.me/x", "-", "12\n34"])
def test_an_address_is_a_chat(address: str) -> None:
    with pytest.raises(ValueError, match="chat id"):
        SPEC.validate_address(address)


@pytest.mark.parametrize("token", ["", "123:a/b", "123:a b", "123:ä", "1:x/../../bot2:y", "1:a?b", "a" * 201])
def test_a_token_that_is_none_is_refused(token: str, egress: Egress) -> None:
    with pytest.raises(ValueError, match=r"bot_token|bot token"):
        SPEC.build({"bot_token": token}, egress)
