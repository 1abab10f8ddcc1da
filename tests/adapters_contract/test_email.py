"""The email channel: the mail on the wire, what cannot get into it, and where its configuration comes from."""

import smtplib
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.mail.backends.base import BaseEmailBackend

from delivery_gateway.channels.email import SPEC, Email, compose, for_platform
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
from tests.adapters_contract.conftest import ID, SENDER, error_of, mailer, policy
from tests.peers.smtp import SmtpPeer

Build = Callable[..., Message]


def test_the_mail_is_that_of_the_contract(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    receipt = mailer(egress, smtp_peer).send(
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


def test_what_cannot_be_written_as_mail_is_refused(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    error = error_of(lambda: mailer(egress, smtp_peer).send(message("a@b.example", "email", body="half a \ud83c")))

    assert (type(error), error.code, smtp_peer.connections) == (ContentRejected, "invalid_mail", 0)


def test_a_sender_that_is_none_is_the_operators_mistake(smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = Email(mailer(egress, smtp_peer).backend, "nobody")

    error = error_of(lambda: sender.send(message("a@b.example", "email")))

    assert (type(error), error.code, smtp_peer.connections) == (Misconfigured, "invalid_sender", 0)


def test_a_mail_without_html_is_plain(message: Build) -> None:
    assert not compose(message("a@b.example", "email"), SENDER).message().is_multipart()


def test_a_mail_with_html_only_has_a_text_as_well(message: Build) -> None:
    assert compose(message("a@b.example", "email", body="", html="<p>Hi <b>Ada</b></p>"), SENDER).body == "Hi Ada"


@pytest.mark.parametrize(
    "body", [".", "..", "\n.\n", "a\r\n.\r\nMAIL FROM:<x@y>\r\n", "\r.\r", "\n.\r\nDATA\n", ".\r\n.\r\n" * 50]
)
def test_a_body_never_ends_the_mail_early(body: str, smtp_peer: SmtpPeer, egress: Egress, message: Build) -> None:
    sender = mailer(egress, smtp_peer)
    sender.send(message("a@b.example", "email", body=body))
    sender.send(message("a@b.example", "email", body="the next one"))

    first, second = smtp_peer.received
    assert first.message.get_content().split() == body.split()
    assert second.message.get_content().strip() == "the next one"


# --- Header injection -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["a\nBcc: x@y.example", "a\rBcc: x", "a\r\n\r\nbody", "a\x00b", "a\x0bb"])
def test_a_subject_cannot_carry_a_header(subject: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    error = error_of(lambda: mailer(egress, smtp_peer).send(message("a@b.example", "email", subject=subject)))

    assert (type(error), error.code, smtp_peer.connections) == (ContentRejected, "header_injection", 0)


@pytest.mark.parametrize(
    "subject", ["=?utf-8?q?=0ABcc=3A_x=40y.example?=", "a\u2028Bcc: x", "a\u0085Bcc: x", "x" * 2_000]
)
def test_a_strange_subject_stays_one_header(subject: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    mailer(egress, smtp_peer).send(message("a@b.example", "email", subject=subject))

    (mail,) = smtp_peer.received
    assert mail.rcpt_tos == ("a@b.example",)
    assert "Bcc" not in mail.message
    assert len([name for name in mail.message if name == "Subject"]) == 1


@pytest.mark.parametrize(
    "address", ["a@b.example\nBcc: x@y.example", "a@b.example\r\nRCPT TO:<x@y.example>", "a@b.example\x00"]
)
def test_an_address_cannot_carry_a_command(address: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    error = error_of(lambda: mailer(egress, smtp_peer).send(message(address, "email")))

    assert (type(error), error.code, smtp_peer.connections) == (ContentRejected, "header_injection", 0)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "a@",
        "@b.example",
        "a@b.example, c@d.example",
        "Ada <a@b.example>",
        "a@b.example>",
        "a b@c.example",
        "\u212a@b.example",
    ],
)
def test_what_is_no_single_address_is_gone(address: str, egress: Egress, smtp_peer: SmtpPeer, message: Build) -> None:
    error = error_of(lambda: mailer(egress, smtp_peer).send(message(address, "email")))

    assert (type(error), error.code, smtp_peer.connections) == (RecipientGone, "invalid_address", 0)


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
        ({"host": "mail.example", "from_email": "A\nBcc: x <a@b.example>"}, "A sender looks like"),
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


def test_connections_last_as_long_as_the_operator_says(settings: Any) -> None:
    settings.EMAIL_CONN_MAX_AGE = 7.0

    own = SPEC.build({"host": "smtp.example.com"}, Egress(EgressPolicy()))
    platforms = for_platform(settings, Egress(EgressPolicy()))

    assert [sender.max_age for sender in (own, platforms) if isinstance(sender, Email)] == [7.0, 7.0]


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
