"""Every way a mail server can fail, and what that says about the message."""

import time
from collections.abc import Callable, Iterator

import pytest

from delivery_gateway.channels.email import Email
from delivery_gateway.channels.smtp import SmtpBackend
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
from tests.adapters_contract.conftest import ID, SENDER, error_of, mailer
from tests.peers.smtp import SmtpPeer

Build = Callable[..., Message]


@pytest.fixture(params=[False, True], ids=["step by step", "pipelined"])
def smtp_peer(request: pytest.FixtureRequest) -> Iterator[SmtpPeer]:
    with SmtpPeer(is_pipelined=request.param) as peer:
        yield peer


@pytest.mark.parametrize(
    ("fault", "expected", "code"),
    [
        ("greet:554 go away", Transient, "smtp_554"),
        ("greet:421 4.3.2 too busy", Transient, "smtp_421"),
        ("greet:drop", Transient, "connection_lost"),
        ("ehlo:drop", Transient, "connection_lost"),
        ("mail:451 4.3.0 later", Transient, "4.3.0"),
        ("mail:421 4.3.2 closing", Transient, "4.3.2"),
        ("mail:550 5.7.1 sender refused", Misconfigured, "5.7.1"),
        ("mail:drop", Transient, "connection_lost"),
        ("rcpt:550 5.1.1 no such user", RecipientGone, "5.1.1"),
        ("rcpt:550 5.7.1 relaying denied", Misconfigured, "5.7.1"),
        ("rcpt:452 4.2.2 full", Transient, "4.2.2"),
        ("rcpt:421 4.3.2 closing", Transient, "4.3.2"),
        ("rcpt:drop", Transient, "connection_lost"),
        ("data:451 4.3.0 later", Transient, "4.3.0"),
        ("data:554 5.6.0 not like this", ContentRejected, "5.6.0"),
        ("data:drop", Transient, "connection_lost"),
        ("dot:451 4.3.0 later", Transient, "4.3.0"),
        ("dot:421 4.7.28 unusual rate", Throttled, "4.7.28"),
        ("dot:554 5.6.0 not this content", ContentRejected, "5.6.0"),
        ("dot:552 5.3.4 too big", ContentRejected, "5.3.4"),
        ("dot:drop", Ambiguous, "connection_lost"),
        ("rcpt:endless", Transient, "connection_lost"),
        ("dot:endless", Ambiguous, "connection_lost"),
    ],
)
def test_each_fault_has_its_class(
    fault: str, expected: type[DeliveryError], code: str, smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    smtp_peer.script(fault)
    sender = mailer(egress, smtp_peer)

    error = error_of(lambda: sender.send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (expected, code)
    assert sender.send(message("ada@example.com", "email")).provider_id == f"{ID}@acme.example"  # and it goes on


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("greet:hang", Transient),
        ("ehlo:hang", Transient),
        ("mail:hang", Transient),
        ("rcpt:hang", Transient),
        ("data:hang", Transient),
        ("dot:hang", Ambiguous),
    ],
)
def test_a_server_that_falls_silent_is_left_in_time(
    fault: str, expected: type[DeliveryError], smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    smtp_peer.script(fault)

    began = time.monotonic()
    error = error_of(lambda: mailer(egress, smtp_peer, seconds=0.2).send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (expected, "timeout")
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(("fault", "expected"), [("data:hang", Transient), ("dot:hang", Ambiguous)])
def test_a_single_wait_has_a_limit_of_its_own(
    fault: str, expected: type[DeliveryError], smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    smtp_peer.script(fault)

    error = error_of(lambda: mailer(egress, smtp_peer, timeout=0.2).send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (expected, "timeout")


def test_a_server_that_trickles_is_left_in_time(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    smtp_peer.trickle_seconds = 0.02

    began = time.monotonic()
    error = error_of(lambda: mailer(egress, smtp_peer, seconds=0.2).send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (Transient, "timeout")
    assert time.monotonic() - began < 1.5


def test_nobody_listening_is_transient(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = Email(lambda: SmtpBackend(host="127.0.0.1", port=1, egress=egress), SENDER)

    error = error_of(lambda: sender.send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (Transient, "connect_refused")


def test_a_refusal_does_not_repeat_the_address(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    smtp_peer.script("rcpt:550 5.1.1 <ada@example.com> is unknown")

    error = error_of(lambda: mailer(egress, smtp_peer).send(message("ada@example.com", "email")))

    assert error.detail == "550 5.1.1 <<recipient>> is unknown"
