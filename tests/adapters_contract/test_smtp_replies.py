"""SMTP codes in our words: a table."""

import smtplib
import ssl

import pytest

from delivery_gateway.channels.smtp_replies import Stage, error_for, refusal
from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Misconfigured,
    RecipientGone,
    Throttled,
    Transient,
)


@pytest.mark.parametrize(
    ("stage", "reply", "expected", "code"),
    [
        ("recipient", "421 4.3.2 closing", Transient, "4.3.2"),
        ("recipient", "450 4.2.0 greylisted", Transient, "4.2.0"),
        ("recipient", "451 local error", Transient, "smtp_451"),
        ("recipient", "452 4.2.2 mailbox full", Transient, "4.2.2"),
        ("session", "454 4.7.0 temporary authentication failure", Transient, "4.7.0"),
        ("content", "421 4.7.28 unusual rate", Throttled, "4.7.28"),
        ("content", "421 4.7.32 not aligned", Throttled, "4.7.32"),
        ("recipient", "550 5.1.1 no such user", RecipientGone, "5.1.1"),
        ("recipient", "550 no such user", RecipientGone, "smtp_550"),
        ("recipient", "551 user not local", RecipientGone, "smtp_551"),
        ("recipient", "553 mailbox name not allowed", RecipientGone, "smtp_553"),
        ("recipient", "556 5.1.10 null MX", RecipientGone, "5.1.10"),
        ("content", "550 5.1.1 no such user", RecipientGone, "5.1.1"),
        ("recipient", "550 5.2.1 disabled", RecipientGone, "5.2.1"),
        ("recipient", "552 5.2.2 over quota", Transient, "5.2.2"),
        ("content", "552 5.2.3 too long for this mailbox", ContentRejected, "5.2.3"),
        ("recipient", "550 5.4.4 no route", Transient, "5.4.4"),
        ("content", "552 5.3.4 too big", ContentRejected, "5.3.4"),
        ("sender", "552 5.3.4 too big", ContentRejected, "5.3.4"),
        ("content", "552 too big", ContentRejected, "smtp_552"),
        ("content", "550 5.6.0 not MIME", ContentRejected, "5.6.0"),
        ("content", "554 5.7.1 rejected by policy", Misconfigured, "5.7.1"),
        ("recipient", "550 5.7.1 relaying denied", Misconfigured, "5.7.1"),
        ("recipient", "554 relay access denied", Misconfigured, "smtp_554"),
        ("content", "554 transaction failed", ContentRejected, "smtp_554"),
        ("content", "550 looks like spam", ContentRejected, "smtp_550"),
        ("sender", "550 5.1.8 sender unknown", Misconfigured, "5.1.8"),
        ("sender", "553 5.1.7 bad sender", Misconfigured, "5.1.7"),
        ("sender", "550 5.1.0 sender rejected", Misconfigured, "5.1.0"),
        ("sender", "530 5.7.0 log in first", Misconfigured, "5.7.0"),
        ("recipient", "503 5.5.1 bad sequence", Misconfigured, "5.5.1"),
        ("recipient", "501 syntax", Misconfigured, "smtp_501"),
        ("session", "535 5.7.8 bad credentials", Misconfigured, "5.7.8"),
        ("session", "534 stronger mechanism needed", Misconfigured, "smtp_534"),
        ("recipient", "-1 garbage", Transient, "smtp_-1"),
        # An enhanced code must agree with the code, and be one: neither a version nor an address.
        ("recipient", "550 4.1.1 contradiction", RecipientGone, "smtp_550"),
        ("recipient", "550 see 10.5.1.1", RecipientGone, "smtp_550"),
    ],
)
def test_a_reply_has_its_class(stage: Stage, reply: str, expected: type[DeliveryError], code: str) -> None:
    number, _, text = reply.partition(" ")

    error = refusal(int(number), text, stage)

    assert (type(error), error.code, error.detail) == (expected, code, reply)


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [("450 4.2.0 greylisted", 300.0), ("421 4.7.28 slow down", 600.0), ("451 later", None), ("550 5.1.1 gone", None)],
)
def test_a_greylisting_server_is_not_asked_again_at_once(reply: str, seconds: float | None) -> None:
    number, _, text = reply.partition(" ")

    assert refusal(int(number), text, "recipient").retry_after == seconds


@pytest.mark.parametrize(
    ("raised", "expected", "code"),
    [
        (smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"5.1.1 unknown")}), RecipientGone, "5.1.1"),
        (smtplib.SMTPSenderRefused(550, b"no", "a@b.example"), Misconfigured, "smtp_550"),
        (smtplib.SMTPDataError(554, b"5.6.0 no"), ContentRejected, "5.6.0"),
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 no"), Misconfigured, "5.7.8"),
        (smtplib.SMTPConnectError(554, b"go away"), Transient, "smtp_554"),
        (smtplib.SMTPHeloError(501, b"who?"), Misconfigured, "smtp_501"),
        (smtplib.SMTPResponseException(454, b"TLS not available"), Transient, "smtp_454"),
        (smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server."), Misconfigured, "not_supported"),
        (smtplib.SMTPException("No suitable authentication method found."), Misconfigured, "not_supported"),
        (smtplib.SMTPServerDisconnected("gone"), Transient, "connection_lost"),
        (ConnectionResetError(), Transient, "connection_lost"),
        (TimeoutError(), Transient, "timeout"),
        (ssl.SSLError(1, "wrong version number"), Transient, "tls_failed"),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "ordinal not in range"), ContentRejected, "invalid_mail"),
        (ValueError("Header values can't contain newlines"), ContentRejected, "invalid_mail"),
    ],
)
def test_what_smtplib_raises_has_its_class(raised: Exception, expected: type[DeliveryError], code: str) -> None:
    error = error_for(raised, is_dot_written=False)

    assert (type(error), error.code) == (expected, code)


@pytest.mark.parametrize(
    "raised",
    [smtplib.SMTPServerDisconnected("gone"), ConnectionResetError(), TimeoutError(), ssl.SSLError(1, "broken")],
)
def test_silence_after_the_final_dot_is_ambiguous(raised: Exception) -> None:
    assert type(error_for(raised, is_dot_written=True)) is Ambiguous


def test_a_refusal_after_the_final_dot_is_none_the_less_one() -> None:
    assert type(error_for(smtplib.SMTPDataError(550, b"5.6.0 no"), is_dot_written=True)) is ContentRejected
