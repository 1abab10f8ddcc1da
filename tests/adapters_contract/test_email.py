"""The email channel against a real SMTP server: the mail, kept connections, and every way it can fail."""

import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.mail.backends.base import BaseEmailBackend

from delivery_gateway.channels import email as email_channel
from delivery_gateway.channels.email import SPEC, Email, compose, for_platform
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
from delivery_gateway.egress import Egress, EgressPolicy
from tests.adapters_contract.conftest import ID, policy
from tests.peers.certificates import Authority
from tests.peers.smtp import SmtpPeer

Build = Callable[..., Message]
SENDER = "Acme <orders@acme.example>"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    email_channel._kept.clear()


def channel(egress: Egress, peer: SmtpPeer, *, seconds: float = 10.0, **options: Any) -> Email:
    def backend() -> SmtpBackend:
        return SmtpBackend(host="127.0.0.1", port=peer.port, egress=egress, total_seconds=seconds, **options)

    return Email(backend, SENDER)


def error_of(call: Callable[[], object]) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        call()
    return caught.value


def test_the_mail_is_that_of_the_contract(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    receipt = channel(egress, smtp_peer).send(
        message("Ada@Example.COM", "email", subject="Grüße", body="Thank you, Ädä.", html="<p>Thank <b>you</b></p>")
    )

    (mail,) = smtp_peer.received
    parsed = mail.message
    assert (mail.mail_from, mail.rcpt_tos) == ("orders@acme.example", ("Ada@example.com",))
    assert {name: parsed[name] for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted")} == {
        "From": SENDER,
        "To": "Ada@example.com",
        "Subject": "Grüße",
        "Message-ID": f"<{ID}@acme.example>",
        "Auto-Submitted": "auto-generated",
    }
    assert abs(parsedate_to_datetime(parsed["Date"]).timestamp() - time.time()) < 60
    assert parsed.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content().strip()) for part in parsed.iter_parts()]
    assert parts == [("text/plain", "Thank you, Ädä."), ("text/html", "<p>Thank <b>you</b></p>")]
    assert receipt.provider_id == f"{ID}@acme.example"
    assert receipt.detail == "250 2.0.0 Ok: queued as 00000001"


def test_a_mail_without_html_is_plain(message: Build) -> None:
    assert not compose(message("a@b.example", "email"), SENDER).message().is_multipart()


def test_a_mail_with_html_only_has_a_text_as_well(message: Build) -> None:
    assert compose(message("a@b.example", "email", body="", html="<p>Hi <b>Ada</b></p>"), SENDER).body == "Hi Ada"


@pytest.mark.parametrize(
    "body", [".", "..", "\n.\n", "a\r\n.\r\nMAIL FROM:<x@y>\r\n", "\r.\r", "\n.\r\nDATA\n", ".\r\n.\r\n" * 50]
)
def test_a_body_never_ends_the_mail_early(body: str, smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = channel(egress, smtp_peer)
    sender.send(message("a@b.example", "email", body=body))
    sender.send(message("a@b.example", "email", body="the next one"))

    first, second = smtp_peer.received
    assert first.message.get_content().split() == body.split()
    assert second.message.get_content().strip() == "the next one"


# --- Header injection -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["a\nBcc: x@y.example", "a\rBcc: x", "a\r\n\r\nbody", "a\x00b", "a\x0bb"])
def test_a_subject_cannot_carry_a_header(subject: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    error = error_of(lambda: channel(egress, smtp_peer).send(message("a@b.example", "email", subject=subject)))

    assert (type(error), error.code, smtp_peer.connections) == (ContentRejected, "header_injection", 0)


@pytest.mark.parametrize(
    "subject", ["=?utf-8?q?=0ABcc=3A_x=40y.example?=", "a\u2028Bcc: x", "a\u0085Bcc: x", "x" * 2_000]
)
def test_a_strange_subject_stays_one_header(subject: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    channel(egress, smtp_peer).send(message("a@b.example", "email", subject=subject))

    (mail,) = smtp_peer.received
    assert mail.rcpt_tos == ("a@b.example",)
    assert "Bcc" not in mail.message
    assert len([name for name in mail.message if name == "Subject"]) == 1


@pytest.mark.parametrize(
    "address", ["a@b.example\nBcc: x@y.example", "a@b.example\r\nRCPT TO:<x@y.example>", "a@b.example\x00"]
)
def test_an_address_cannot_carry_a_command(address: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    error = error_of(lambda: channel(egress, smtp_peer).send(message(address, "email")))

    assert (type(error), error.code, smtp_peer.connections) == (ContentRejected, "header_injection", 0)


@pytest.mark.parametrize(
    "address",
    ["", "ada", "a@", "@b.example", "a@b.example, c@d.example", "Ada <a@b.example>", "a@b.example>", "a b@c.example"],
)
def test_what_is_no_single_address_is_gone(address: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    error = error_of(lambda: channel(egress, smtp_peer).send(message(address, "email")))

    assert (type(error), error.code, smtp_peer.connections) == (RecipientGone, "invalid_address", 0)


# --- Faults -----------------------------------------------------------------------------------------------------


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
    sender = channel(egress, smtp_peer)

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
    error = error_of(lambda: channel(egress, smtp_peer, seconds=0.2).send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (expected, "timeout")
    assert time.monotonic() - began < 1.5


def test_a_server_that_trickles_is_left_in_time(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    smtp_peer.trickle_seconds = 0.02

    began = time.monotonic()
    error = error_of(lambda: channel(egress, smtp_peer, seconds=0.2).send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (Transient, "timeout")
    assert time.monotonic() - began < 1.5


def test_nobody_listening_is_transient(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = Email(lambda: SmtpBackend(host="127.0.0.1", port=1, egress=egress), SENDER)

    error = error_of(lambda: sender.send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (Transient, "connect_refused")


def test_a_refusal_does_not_repeat_the_address(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    smtp_peer.script("rcpt:550 5.1.1 <ada@example.com> is unknown")

    error = error_of(lambda: channel(egress, smtp_peer).send(message("ada@example.com", "email")))

    assert error.detail == "550 5.1.1 <<recipient>> is unknown"


# --- Kept connections -------------------------------------------------------------------------------------------


def test_one_connection_serves_many_mails(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = channel(egress, smtp_peer)
    for _ in range(20):
        sender.send(message("ada@example.com", "email"))

    assert (smtp_peer.connections, len(smtp_peer.received)) == (1, 20)


def test_a_refused_recipient_does_not_cost_the_connection(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    smtp_peer.script("ok", "rcpt:550 5.1.1 unknown", "dot:554 5.6.0 no", "ok")
    sender = channel(egress, smtp_peer)
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
    sender = channel(egress, smtp_peer)
    for _ in range(5):
        sender.send(message("ada@example.com", "email"))
        smtp_peer.drop_idle(goodbye)

    assert (smtp_peer.connections, len(smtp_peer.received)) == (5, 5)


@pytest.mark.parametrize("fault", ["mail:421 4.4.2 timed out", "mail:drop"])
def test_a_kept_connection_that_ends_at_mail_is_replaced_once(
    fault: str, smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    smtp_peer.script("ok", fault, "ok")
    sender = channel(egress, smtp_peer)
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
    sender = channel(egress, smtp_peer)
    sender.send(message("ada@example.com", "email"))

    error = error_of(lambda: sender.send(message("ada@example.com", "email")))

    assert type(error) is (Ambiguous if fault == "dot:drop" else Transient)
    assert len(smtp_peer.received) == (2 if fault == "dot:drop" else 1)


def test_threads_share_kept_connections_but_never_one_at_once(
    smtp_peer: SmtpPeer, egress: Egress, message: Build
) -> None:
    sender = channel(egress, smtp_peer)

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


def test_closing_the_channel_says_goodbye(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = channel(egress, smtp_peer)
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

    sender = channel(egress, smtp_peer)
    sender.send(message("ada@example.com", "email"))
    with monkeypatch.context() as patched:
        patched.setattr(smtplib.SMTP, "rcpt", strike)
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
        sender = channel(trusting, peer, use_tls=True, username="orders", password="s3cret")
        for _ in range(2):
            sender.send(message("ada@example.com", "email"))
        sender.close()

        assert (peer.connections, [mail.user for mail in peer.received]) == (1, ["orders", "orders"])


def test_tls_from_the_first_byte(authority: Authority, trusting: Egress, message: Build) -> None:
    with SmtpPeer(tls=authority.server("127.0.0.1")) as peer:
        sender = channel(trusting, peer, use_ssl=True)
        sender.send(message("ada@example.com", "email"))
        sender.close()

        assert len(peer.received) == 1


@pytest.mark.parametrize("how", [{"use_tls": True}, {"use_ssl": True}])
def test_a_certificate_nobody_vouches_for_is_transient(
    how: dict[str, bool], authority: Authority, egress: Egress, message: Build
) -> None:
    context = authority.server("127.0.0.1")
    with SmtpPeer(tls=context) if "use_ssl" in how else SmtpPeer(starttls=context) as peer:
        error = error_of(lambda: channel(egress, peer, **how).send(message("ada@example.com", "email")))

        assert (type(error), error.code, peer.received) == (Transient, "tls_certificate", [])


def test_a_server_without_starttls_is_misconfigured(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    error = error_of(lambda: channel(egress, smtp_peer, use_tls=True).send(message("ada@example.com", "email")))

    assert (type(error), error.code) == (Misconfigured, "not_supported")


def test_a_wrong_password_is_misconfigured(egress: Egress, message: Build) -> None:
    with SmtpPeer(users={"orders": "s3cret"}) as peer:
        sender = channel(egress, peer, username="orders", password="wrong")
        error = error_of(lambda: sender.send(message("ada@example.com", "email")))

        assert (type(error), error.code) == (Misconfigured, "5.7.8")
        assert "wrong" not in error.detail


# --- Where the configuration comes from -------------------------------------------------------------------------


def test_a_tenants_server_is_reached_through_the_egress(smtp_peer: SmtpPeer, message: Build) -> None:
    values = {"host": "127.0.0.1", "port": str(smtp_peer.port), "from_email": SENDER}
    allowed, refused = SPEC.build(values, Egress(policy())), SPEC.build(values, Egress(EgressPolicy()))

    assert allowed.send(message("ada@example.com", "email")).detail.startswith("250")
    error = error_of(lambda: refused.send(message("ada@example.com", "email")))
    assert (type(error), error.code, smtp_peer.connections) == (Misconfigured, "egress_refused", 1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"from_email": SENDER}, "needs the setting 'host'"),
        ({"host": "mail.example", "from_email": "nobody"}, "looks like name@example.com"),
        ({"host": "mail.example", "from_email": SENDER, "port": "smtp"}, "port must be a number"),
        ({"host": "mail.example", "from_email": SENDER, "use_tls": "true", "use_ssl": "1"}, "not both"),
        ({"host": "mail.example", "from_email": SENDER, "hots": "x"}, "has no setting 'hots'"),
    ],
)
def test_an_integration_that_cannot_work_says_why(values: dict[str, str], words: str, egress: Egress) -> None:
    with pytest.raises(ValueError, match=words):
        SPEC.build(values, egress)


def test_the_platforms_own_server_is_the_operators_business(smtp_peer: SmtpPeer, settings: Any, message: Build) -> None:
    """EMAIL_HOST may be anywhere, so EGRESS_ALLOW does not concern it."""
    settings.EMAIL_BACKEND = "delivery_gateway.channels.smtp.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_peer.port
    settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "", False, False
    settings.DEFAULT_FROM_EMAIL = SENDER

    sender = for_platform(settings, Egress(EgressPolicy()))
    assert sender is not None
    sender.send(message("ada@example.com", "email"))
    django_mail.send_mail("Plain Django", "works too", None, ["ada@example.com"])
    sender.close()

    assert [mail.message["Subject"] for mail in smtp_peer.received] == ["Order 7 created", "Plain Django"]


def test_any_django_backend_serves(settings: Any, message: Build) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    django_mail.outbox = []

    sender = for_platform(settings, Egress(EgressPolicy()))
    assert sender is not None
    receipt = sender.send(message("ada@example.com", "email"))

    assert [mail.to for mail in django_mail.outbox] == [["ada@example.com"]]
    assert receipt.detail == "accepted by django.core.mail.backends.locmem"


class ApiError(Exception):
    """As django-anymail raises them."""

    def __init__(self, status_code: int | None) -> None:
        super().__init__("the service said no")
        self.status_code = status_code


class AnymailRecipientsRefused(Exception):
    pass


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ApiError(401), Misconfigured),
        (ApiError(422), ContentRejected),
        (ApiError(429), Throttled),
        (ApiError(503), Transient),
        (ApiError(None), Ambiguous),
        (AnymailRecipientsRefused(), RecipientGone),
        (smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"5.1.1 unknown")}), RecipientGone),
        (smtplib.SMTPServerDisconnected("when?"), Ambiguous),
        (ConnectionResetError(), Ambiguous),
        (RuntimeError("a bug"), Ambiguous),
    ],
)
def test_a_foreign_backends_failure_is_never_taken_for_less_than_it_is(
    raised: Exception, expected: type[DeliveryError], message: Build
) -> None:
    class Failing(BaseEmailBackend):
        def send_messages(self, email_messages: Any) -> int:
            raise raised

    error = error_of(lambda: Email(Failing, SENDER).send(message("ada@example.com", "email")))

    assert type(error) is expected
