"""Connections to mail servers: kept, replaced when they have ended, inside TLS."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from delivery_gateway.channels import email as email_channel
from delivery_gateway.channels.smtp_transaction import Wire
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
from dev.waiting import wait_until
from tests.adapters_contract.conftest import error_of, mailer, policy
from tests.peers.certificates import Authority
from tests.peers.smtp import SmtpPeer

Build = Callable[..., Message]


@pytest.fixture(params=[False, True], ids=["step by step", "pipelined"])
def smtp_peer(request: pytest.FixtureRequest) -> Iterator[SmtpPeer]:
    with SmtpPeer(is_pipelined=request.param) as peer:
        yield peer


def test_one_connection_serves_many_mails(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = mailer(egress, smtp_peer)
    for _ in range(20):
        sender.send(message("ada@example.com", "email"))

    assert (smtp_peer.connections, len(smtp_peer.received)) == (1, 20)


def test_a_refused_recipient_does_not_cost_the_connection(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    smtp_peer.script("ok", "rcpt:550 5.1.1 unknown", "dot:554 5.6.0 no", "ok")
    sender = mailer(egress, smtp_peer)
    for expected in (None, RecipientGone, ContentRejected, None):
        try:
            sender.send(message("ada@example.com", "email"))
            outcome = None
        except DeliveryError as error:
            outcome = type(error)
        assert outcome is expected

    assert (smtp_peer.connections, len(smtp_peer.received)) == (1, 2)


@pytest.mark.parametrize("goodbye", ["421 4.4.2 idle for too long", "221 bye"])
def test_a_connection_the_server_left_is_replaced(
    goodbye: str, smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    sender = mailer(egress, smtp_peer)
    for _ in range(5):
        sender.send(message("ada@example.com", "email"))
        smtp_peer.drop_idle(goodbye)

    assert (smtp_peer.connections, len(smtp_peer.received)) == (5, 5)


def test_a_connection_that_is_too_old_takes_no_further_mail(
    smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    sender = mailer(egress, smtp_peer, max_age=0.0)
    for _ in range(3):
        sender.send(message("ada@example.com", "email"))

    assert [mail.connection for mail in smtp_peer.received] == [1, 2, 3]
    assert wait_until(lambda: len(smtp_peer.open) == 1, seconds=5)  # we have said goodbye to the others


def test_a_server_that_moves_is_followed_however_busy_its_connection_is(message: Build) -> None:
    addresses = ["127.0.0.1"]
    egress = Egress(policy(total_seconds=10.0), resolve=lambda host, port: list(addresses))
    with SmtpPeer() as old, SmtpPeer(host="127.0.0.2", port=old.port) as new:
        sender = mailer(egress, old, host="mail.example", max_age=0.2)

        def is_followed() -> bool:
            sender.send(message("ada@example.com", "email"))
            addresses[:] = ["127.0.0.2"]
            return bool(new.received)

        assert wait_until(is_followed, seconds=10)
        assert (old.connections, new.connections) == (1, 1)
        assert len(old.received) > 1  # a name is looked up for a connection, not for a mail
        sender.close()


@pytest.mark.parametrize("fault", ["mail:421 4.4.2 timed out", "mail:drop"])
def test_a_kept_connection_that_ends_at_mail_is_replaced_once(
    fault: str, smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    smtp_peer.script("ok", fault, "ok")
    sender = mailer(egress, smtp_peer)
    for _ in range(2):
        sender.send(message("ada@example.com", "email"))
    assert (smtp_peer.connections, len(smtp_peer.received)) == (2, 2)

    smtp_peer.script(fault, fault)
    assert type(error_of(lambda: sender.send(message("ada@example.com", "email")))) is Transient


@pytest.mark.parametrize("fault", ["rcpt:drop", "data:drop", "dot:drop"])
def test_a_kept_connection_that_ends_later_is_an_error(
    fault: str, smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    smtp_peer.script("ok", fault, "ok")
    sender = mailer(egress, smtp_peer)
    sender.send(message("ada@example.com", "email"))

    error = error_of(lambda: sender.send(message("ada@example.com", "email")))

    assert type(error) is (Ambiguous if fault == "dot:drop" else Transient)
    assert len(smtp_peer.received) == (2 if fault == "dot:drop" else 1)


def test_threads_share_kept_connections_but_never_one_at_once(
    smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    sender = mailer(egress, smtp_peer)

    def send_ten(name: int) -> None:
        for number in range(10):
            sender.send(message(f"r{name}-{number}@example.com", "email", body=f"{name}-{number}"))

    threads = [threading.Thread(target=send_ten, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert smtp_peer.connections <= 4
    assert {(mail.rcpt_tos[0], mail.message.get_content().strip()) for mail in smtp_peer.received} == {
        (f"r{name}-{number}@example.com", f"{name}-{number}") for name in range(4) for number in range(10)
    }


def test_as_many_connections_are_kept_as_were_needed_at_once(
    smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    sender, threads = mailer(egress, smtp_peer), 24
    everybody = threading.Barrier(threads)

    def send_three(name: int) -> None:
        for _ in range(3):
            everybody.wait(10)
            sender.send(message(f"r{name}@example.com", "email"))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send_three, range(threads)))

    assert smtp_peer.connections <= threads
    assert len(email_channel._kept) == smtp_peer.connections


def test_closing_the_channel_says_goodbye(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = mailer(egress, smtp_peer)
    sender.send(message("ada@example.com", "email"))
    sender.close()

    assert len(email_channel._kept) == 0
    sender.send(message("ada@example.com", "email"))  # it may be used again
    assert smtp_peer.connections == 2


def test_a_connection_is_never_kept_after_an_interruption(
    smtp_peer: SmtpPeer, egress: Egress, message: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time limit of the worker may strike in the middle of a mail; the next one must not follow on its heels."""

    class Struck(Exception):
        pass

    def strike(*_: object) -> None:
        raise Struck

    sender = mailer(egress, smtp_peer)
    sender.send(message("ada@example.com", "email"))
    with monkeypatch.context() as patched:
        patched.setattr(Wire, "read", strike)
        with pytest.raises(Struck):
            sender.send(message("ada@example.com", "email"))
    sender.send(message("ada@example.com", "email"))

    assert (smtp_peer.connections, len(smtp_peer.received)) == (2, 2)


# --- TLS and logging in -----------------------------------------------------------------------------------------


@pytest.fixture
def trusting(authority: Authority) -> Egress:
    return Egress(policy(total_seconds=10.0), tls=authority.trust)


def test_starttls_and_login(authority: Authority, trusting: Egress, message: Build) -> None:
    with SmtpPeer(starttls=authority.server("127.0.0.1"), users={"orders": "s3cret"}) as peer:
        sender = mailer(trusting, peer, use_tls=True, username="orders", password="s3cret")
        for _ in range(2):
            sender.send(message("ada@example.com", "email"))
        sender.close()

        assert (peer.connections, [mail.user for mail in peer.received]) == (1, ["orders", "orders"])


def test_tls_from_the_first_byte(authority: Authority, trusting: Egress, message: Build) -> None:
    with SmtpPeer(tls=authority.server("127.0.0.1")) as peer:
        sender = mailer(trusting, peer, use_ssl=True)
        sender.send(message("ada@example.com", "email"))
        sender.close()

        assert len(peer.received) == 1


@pytest.mark.parametrize("how", [{"use_tls": True}, {"use_ssl": True}])
def test_a_certificate_nobody_vouches_for_is_transient(
    how: dict[str, Any], authority: Authority, egress: Egress, message: Build
) -> None:
    context = authority.server("127.0.0.1")
    with SmtpPeer(tls=context) if "use_ssl" in how else SmtpPeer(starttls=context) as peer:
        error = error_of(lambda: mailer(egress, peer, **how).send(message("ada@example.com", "email")))

        assert (type(error), error.code, peer.received) == (Transient, "tls_certificate", [])


def test_a_server_without_starttls_is_misconfigured(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    error = error_of(lambda: mailer(egress, smtp_peer, use_tls=True).send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (Misconfigured, "not_supported")


def test_a_wrong_password_is_misconfigured(egress: Egress, message: Build) -> None:
    with SmtpPeer(users={"orders": "s3cret"}) as peer:
        sender = mailer(egress, peer, username="orders", password="wrong")
        error = error_of(lambda: sender.send(message("ada@example.com", "email")))

        assert (type(error), error.code) == (Misconfigured, "5.7.8")
        assert "wrong" not in error.detail
