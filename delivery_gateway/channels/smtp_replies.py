"""What an SMTP failure means for a message (RFC 5321 codes, RFC 3463 enhanced codes), as data and one pure function."""

import re
import smtplib
import ssl
from typing import Literal

from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Misconfigured,
    RecipientGone,
    Throttled,
    Transient,
)

Stage = Literal["session", "sender", "recipient", "content"]
GREYLISTED = 300.0  # seconds that a 450 asks for
THROTTLED = 600.0
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")

EXACT: dict[str, type[DeliveryError]] = {
    "4.7.28": Throttled,  # Gmail: reputation, too much at once
    "4.7.32": Throttled,
    "5.1.7": Misconfigured,  # the sender's address, not the recipient's
    "5.1.8": Misconfigured,
    "5.2.1": RecipientGone,
    "5.2.3": ContentRejected,  # longer than this mailbox takes
    "5.3.4": ContentRejected,  # longer than this server takes
}
SUBJECTS: dict[str, type[DeliveryError]] = {
    "1": RecipientGone,  # address
    "2": Transient,  # mailbox, often just full
    "3": Transient,  # the receiving system
    "4": Transient,  # network and routing
    "5": Misconfigured,  # protocol
    "6": ContentRejected,
    "7": Misconfigured,  # security and policy: never the recipient's fault
}
PLAIN: dict[Stage, type[DeliveryError]] = {
    "session": Misconfigured,
    "sender": Misconfigured,
    "recipient": RecipientGone,
    "content": ContentRejected,
}
ALWAYS_CONFIG = frozenset({500, 501, 502, 503, 504, 530, 534, 535, 538})


def refusal(code: int, text: str, stage: Stage) -> DeliveryError:
    """The error for the reply `code text`, given to the command of that stage."""
    found = _ENHANCED.search(text)
    enhanced = found.group() if found and found[1] == str(code)[:1] else ""
    kind = _class_of(code, enhanced, stage)
    wait = THROTTLED if kind is Throttled else GREYLISTED if code == 450 else None
    return kind(f"{code} {text}".strip(), code=enhanced or f"smtp_{code}", retry_after=wait)


def _class_of(code: int, enhanced: str, stage: Stage) -> type[DeliveryError]:
    if enhanced in EXACT:
        return EXACT[enhanced]
    if not 500 <= code < 600:
        return Transient
    if stage != "sender" and enhanced and (kind := SUBJECTS.get(enhanced.split(".")[1])):
        return kind
    if code in ALWAYS_CONFIG:
        return Misconfigured
    if code == 552:
        return ContentRejected
    return Misconfigured if code == 554 and stage != "content" else PLAIN[stage]


def error_for(error: Exception, *, is_dot_written: bool, is_late: bool = False) -> DeliveryError:
    """What smtplib raised, in our words. `is_dot_written`: the server had it all, so silence is ambiguous."""
    is_late = is_late or isinstance(error, TimeoutError)
    if isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected):
        return _refused(error)
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return ContentRejected(f"The message cannot be written as mail: {error}.", code="invalid_mail")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Transient(f"The mail server's certificate is not valid: {error.verify_message}.", code="tls_certificate")
    if isinstance(error, ssl.SSLError) and not is_dot_written and not is_late:
        return Transient("TLS with the mail server failed.", code="tls_failed")
    return _lost("timeout" if is_late else "connection_lost", is_dot_written=is_dot_written)


def _refused(error: smtplib.SMTPException) -> DeliveryError:
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            return refusal(code, _text(text), "recipient")
        case smtplib.SMTPSenderRefused():
            return refusal(error.smtp_code, _text(error.smtp_error), "sender")
        case smtplib.SMTPDataError():
            return refusal(error.smtp_code, _text(error.smtp_error), "content")
        case smtplib.SMTPConnectError():
            return Transient(_text(error.smtp_error), code=f"smtp_{error.smtp_code}")
        case smtplib.SMTPResponseException():
            return refusal(error.smtp_code, _text(error.smtp_error), "session")
    # The server lacks STARTTLS, or every way to log in that we know.
    return Misconfigured(str(error), code="not_supported")


def _lost(code: str, *, is_dot_written: bool) -> DeliveryError:
    how = "did not answer in time" if code == "timeout" else "broke the connection off"
    if is_dot_written:
        return Ambiguous(f"The mail server {how} after it had the whole message.", code=code)
    return Transient(f"The mail server {how} before it had the message.", code=code)


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
