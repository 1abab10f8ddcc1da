"""SMTP command by command: what is written when, and what is made of a server that answers out of the ordinary."""

from collections.abc import Callable, Iterator

import pytest

from delivery_gateway.channels.email import Email
from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Message,
    Misconfigured,
    RecipientGone,
    Transient,
)
from delivery_gateway.egress import Egress
from tests.adapters_contract.conftest import error_of, mailer
from tests.peers.talking import USUAL, TalkingPeer

Build = Callable[..., Message]


@pytest.fixture
def talker() -> Iterator[TalkingPeer]:
    with TalkingPeer() as peer:
        yield peer


@pytest.fixture
def sender(talker: TalkingPeer, egress: Egress) -> Email:
    return mailer(egress, talker)  # type: ignore[arg-type]


@pytest.fixture
def mail(message: Build) -> Message:
    return message("ada@example.com", "email")


def verbs(peer: TalkingPeer) -> str:
    return " ".join(line[:4].upper() for line in peer.received)


def test_three_commands_are_written_at_once(talker: TalkingPeer, sender: Email, mail: Message) -> None:
    for _ in range(2):
        assert sender.send(mail).detail == "250 2.0.0 taken"

    assert verbs(talker) == "EHLO MAIL RCPT DATA … MAIL RCPT DATA …"
    assert talker.received[1].startswith("MAIL FROM:<orders@acme.example> SIZE=")
    assert talker.received[2] == "RCPT TO:<ada@example.com>"


def test_a_connection_that_says_more_than_asked_takes_no_second_mail(
    talker: TalkingPeer, sender: Email, mail: Message
) -> None:
    talker.replies["…"] = "250 taken\r\n250 and so?"
    for _ in range(2):
        sender.send(mail)

    assert (talker.connections, verbs(talker)) == (2, "EHLO MAIL RCPT DATA … EHLO MAIL RCPT DATA …")


@pytest.mark.parametrize("offers", [[], ["8BITMIME", "SMTPUTF8"]])
def test_a_server_that_does_not_offer_it_is_asked_one_by_one(
    offers: list[str], talker: TalkingPeer, sender: Email, mail: Message
) -> None:
    talker.is_patient, talker.offers = False, offers
    talker.replies["RCPT"] = "550 5.1.1 unknown"

    assert type(error_of(lambda: sender.send(mail))) is RecipientGone

    assert verbs(talker) == "EHLO MAIL RCPT RSET"
    assert talker.received[1] == "MAIL FROM:<orders@acme.example>"


@pytest.mark.parametrize(
    ("replies", "expected", "words"),
    [
        # Each command refused in turn, as most servers go on: with a 503.
        ({"MAIL": "550 5.7.1 no", "RCPT": "503 no", "DATA": "503 no"}, Misconfigured, "MAIL RCPT DATA RSET"),
        ({"MAIL": "451 4.3.0 later", "RCPT": "503 no", "DATA": "503 no"}, Transient, "MAIL RCPT DATA RSET"),
        ({"RCPT": "550 5.1.1 unknown", "DATA": "554 5.5.1 nobody"}, RecipientGone, "MAIL RCPT DATA RSET"),
        ({"RCPT": "452 4.2.2 full", "DATA": "503 5.5.1 nobody"}, Transient, "MAIL RCPT DATA RSET"),
        ({"DATA": "554 5.6.0 not like this"}, ContentRejected, "MAIL RCPT DATA RSET"),
        ({"…": "554 5.6.0 not this"}, ContentRejected, "MAIL RCPT DATA … RSET"),
        # It wants the mail although nobody is to get it: an empty one, and no recipient.
        ({"RCPT": "550 5.1.1 unknown", ".": "554 nobody"}, RecipientGone, "MAIL RCPT DATA . RSET"),
        ({"RCPT": "550 5.1.1 unknown", ".": "250 thanks"}, RecipientGone, "MAIL RCPT DATA . RSET"),
        ({"MAIL": "550 5.7.1 no", "RCPT": "503 no", ".": "554 nobody"}, Misconfigured, "MAIL RCPT DATA . RSET"),
    ],
)
def test_a_refusal_leaves_the_connection_in_step(
    replies: dict[str, str],
    expected: type[DeliveryError],
    words: str,
    talker: TalkingPeer,
    sender: Email,
    mail: Message,
) -> None:
    talker.replies |= replies
    error = error_of(lambda: sender.send(mail))
    talker.replies = dict(USUAL)
    sender.send(mail)

    assert type(error) is expected
    assert verbs(talker) == f"EHLO {words} MAIL RCPT DATA …"
    assert talker.connections == 1


@pytest.mark.parametrize(
    ("replies", "expected", "code", "words"),
    [
        # The first refusal stands, whatever happens to the connection after it.
        ({"MAIL": "550 5.7.1 no", "RCPT": "drop"}, Misconfigured, "5.7.1", "MAIL RCPT DATA"),
        ({"MAIL": "550 5.7.1 no", "RCPT": "421 closing"}, Misconfigured, "5.7.1", "MAIL RCPT DATA"),
        ({"RCPT": "550 5.1.1 unknown", "DATA": "drop"}, RecipientGone, "5.1.1", "MAIL RCPT DATA"),
        ({"RCPT": "550 5.1.1 unknown", "DATA": "421 closing"}, RecipientGone, "5.1.1", "MAIL RCPT DATA"),
        ({"RCPT": "550 5.1.1 unknown", ".": "drop"}, RecipientGone, "5.1.1", "MAIL RCPT DATA ."),
        (
            {"RCPT": "550 5.1.1 unknown", "DATA": "503 no", "RSET": "drop"},
            RecipientGone,
            "5.1.1",
            "MAIL RCPT DATA RSET",
        ),
        (
            {"RCPT": "550 5.1.1 unknown", "DATA": "503 no", "RSET": "500 ?"},
            RecipientGone,
            "5.1.1",
            "MAIL RCPT DATA RSET",
        ),
        # An empty mail would reach the recipient.
        ({"MAIL": "550 5.7.1 no"}, Misconfigured, "5.7.1", "MAIL RCPT DATA"),
        # It says more than it was asked.
        ({"RCPT": "550 5.1.1 unknown", "RSET": "250 ok\r\n250 ok"}, RecipientGone, "5.1.1", "MAIL RCPT DATA . RSET"),
        # No refusal: gone, or never a mail server.
        ({"MAIL": "421 4.3.2 closing"}, Transient, "4.3.2", "MAIL RCPT DATA"),
        ({"RCPT": "421 4.3.2 closing"}, Transient, "4.3.2", "MAIL RCPT DATA"),
        ({"DATA": "421 4.3.2 closing"}, Transient, "4.3.2", "MAIL RCPT DATA"),
        ({"MAIL": "drop"}, Transient, "connection_lost", "MAIL RCPT DATA"),
        ({"RCPT": "drop"}, Transient, "connection_lost", "MAIL RCPT DATA"),
        ({"DATA": "drop"}, Transient, "connection_lost", "MAIL RCPT DATA"),
        ({"RCPT": "hello?"}, Transient, "smtp_-1", "MAIL RCPT DATA"),
        ({"…": "drop"}, Ambiguous, "connection_lost", "MAIL RCPT DATA …"),
        ({"…": "421 4.3.2 closing"}, Transient, "4.3.2", "MAIL RCPT DATA …"),
    ],
)
def test_a_connection_out_of_step_is_given_up(
    replies: dict[str, str],
    expected: type[DeliveryError],
    code: str,
    words: str,
    talker: TalkingPeer,
    sender: Email,
    mail: Message,
) -> None:
    talker.replies |= replies
    error = error_of(lambda: sender.send(mail))
    talker.replies = dict(USUAL)
    sender.send(mail)

    assert (type(error), error.code) == (expected, code)
    assert verbs(talker) == f"EHLO {words} EHLO MAIL RCPT DATA …"
    assert talker.connections == 2
