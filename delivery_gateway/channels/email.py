"""Email through any Django backend: the platform's EMAIL_BACKEND, or a tenant's own SMTP server.

Our own SmtpBackend gets the mail as text, which costs a sixth to an eighth of the CPU time; others get Django's
EmailMultiAlternatives. Connections are kept open between messages, whichever thread sends them. The Message-ID is
made of the notification's id, so mail clients fold a repeated message into the first.
"""

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cached_property, partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.utils.html import strip_tags

from delivery_gateway.channels.http import CLASSES, shorten
from delivery_gateway.channels.mail_extras import extra_fields
from delivery_gateway.channels.mime import Letter, Letterhead
from delivery_gateway.channels.smtp import SmtpBackend
from delivery_gateway.channels.smtp_replies import error_for
from delivery_gateway.channels.spec import CALLBACK_SECRET, RATE, ChannelSpec, Limits, Setting
from delivery_gateway.contract import (
    EXCERPT,
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Message,
    Misconfigured,
    Receipt,
    RecipientGone,
    Transient,
)
from delivery_gateway.egress import Egress
from delivery_gateway.egress.shelf import Shelf

SUBJECT = 980  # characters: a header line has at most 998 (RFC 5322), and a long word cannot be folded
REST_SECONDS = 30.0  # servers may hang up on a silent client after 5 minutes (RFC 5321), many do sooner
KEPT = 256  # a place for each call that can be under way (see runway.py) with a DELIVERY_CONCURRENCY of up to 150
_kept: Shelf[BaseEmailBackend] = Shelf(rest_seconds=REST_SECONDS, per_key=KEPT, in_all=KEPT)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, eq=False)
class Email:
    """`backend` makes a new, unopened connection; `service` is whose callbacks are awaited."""

    backend: Callable[[], BaseEmailBackend]
    from_email: str
    service: str = ""

    def send(self, message: Message) -> Receipt:
        backend = _kept.take(self) or self.backend()
        try:
            if isinstance(backend, SmtpBackend):
                letter = self._letter(message)
                provider_id, answer = letter.message_id, backend.deliver(letter)
            else:
                provider_id, answer = _through_django(backend, compose(message, self.from_email))
        except DeliveryError as error:
            error.detail = _redact(error.detail, message.address)
            _kept.put(self, backend)
            raise
        _kept.put(self, backend)
        return Receipt(provider_id, _redact(answer, message.address)[:EXCERPT])

    def prove(self, address: str) -> str:
        backend = self.backend()
        if isinstance(backend, SmtpBackend):
            backend.knock()
            return f"{backend.host}:{backend.port} lets us in"
        try:
            backend.open()
        except Exception as error:
            raise _foreign(error) from error
        finally:
            _close(backend)
        return f"{type(backend).__module__} is ready"

    def close(self) -> None:
        _kept.clear(self)

    @cached_property
    def _letterhead(self) -> Letterhead:
        try:
            return Letterhead(self.from_email)
        except ValueError as error:
            raise Misconfigured(str(error), code="invalid_sender") from None

    def _letter(self, message: Message) -> Letter:
        """What `compose` makes, as text. Raises DeliveryError."""
        subject, address = _checked(message)
        text, letterhead = message.body or strip_tags(message.html), self._letterhead
        try:
            extra = extra_fields(message, self.service)
            return letterhead.write(message.id, to=address, subject=subject, text=text, html=message.html, extra=extra)
        except ValueError as error:
            raise error_for(error, is_dot_written=False) from error


def compose(message: Message, from_email: str) -> EmailMultiAlternatives:
    """The mail, to exactly one recipient. Raises ContentRejected or RecipientGone for what could not be one."""
    subject, address = _checked(message)
    headers = {"Message-ID": f"<{message.id}@{domain_of(from_email)}>", "Auto-Submitted": "auto-generated"}
    headers |= extra_fields(message, "")
    text = message.body or strip_tags(message.html)
    mail = EmailMultiAlternatives(subject, text, from_email, [address], headers=headers)
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    return mail


def _checked(message: Message) -> tuple[str, str]:
    """Subject and address. Raises ContentRejected or RecipientGone."""
    subject = shorten(message.subject.strip(), SUBJECT)
    if _CONTROL.search(subject) or _CONTROL.search(message.address):
        raise ContentRejected("A subject or an address must not contain line breaks.", code="header_injection")
    try:
        return subject, read_address(message.address)
    except ValueError as error:
        raise RecipientGone(str(error), code="invalid_address") from None


def domain_of(from_email: str) -> str:
    domain = parseaddr(from_email)[1].rpartition("@")[2] or "localhost"
    return domain if domain.isascii() else domain.encode("idna").decode()


def read_address(text: str) -> str:
    """One address, its domain in lower case. Raises ValueError."""
    local, _, domain = text.strip().rpartition("@")
    address = f"{local}@{domain.lower()}"
    try:
        if "=?" in local:  # some servers decode it, and deliver to whoever comes out
            raise ValidationError("an encoded word")
        validate_email(address)
        local.encode("ascii")  # the validator takes the Kelvin sign for a k
    except (ValidationError, UnicodeEncodeError):
        raise ValueError("An email address looks like name@example.com; names and lists are not taken.") from None
    return address


def _through_django(backend: BaseEmailBackend, mail: EmailMultiAlternatives) -> tuple[str, str]:
    """The provider's id and answer, from a backend we know nothing of; its connection is dropped after any failure."""
    try:
        backend.open()
        sent = backend.send_messages([mail])
    except Exception as error:
        _close(backend)
        raise _foreign(error) from error
    if sent == 0:
        raise Transient("The email backend reported that nothing was sent.", code="not_sent")
    return _provider_id(mail), f"accepted by {type(backend).__module__}"


def _foreign(error: Exception) -> DeliveryError:
    """Backends for email APIs carry an HTTP status; SMTP ones raise smtplib's errors; the rest tells us nothing."""
    status = getattr(error, "status_code", None)
    if "RecipientsRefused" in type(error).__name__ and not hasattr(error, "recipients"):
        return RecipientGone("The email service refuses this recipient.", code=type(error).__name__)
    if isinstance(status, int) and status >= 400:
        default = Transient if status >= 500 else ContentRejected
        return CLASSES.get(status, default)(f"The email service answered {status}.", code=f"http_{status}")
    if isinstance(error, (OSError, ValueError)):
        return error_for(error, is_dot_written=True)  # we cannot know, so we do not claim it was not sent
    return Ambiguous(f"The email backend raised {type(error).__name__}.", code="backend_error")


def _close(backend: BaseEmailBackend) -> None:
    with contextlib.suppress(Exception):  # the failure before it is the one to report
        backend.close()


def _redact(text: str, address: str) -> str:
    return text.replace(address, "<recipient>") if address else text


def _provider_id(mail: EmailMultiAlternatives) -> str:
    """The email service's own id where it gave one (django-anymail's convention), else the Message-ID."""
    given = getattr(getattr(mail, "anymail_status", None), "message_id", None)
    return str(given or mail.extra_headers["Message-ID"].strip("<>"))


def for_tenant(values: Mapping[str, str], settings: Any, egress: Egress) -> Email:
    from_email = values.get("from_email") or settings.DEFAULT_FROM_EMAIL
    read_address(parseaddr(from_email)[1])
    Letterhead(from_email)
    use_tls, use_ssl = is_on(values.get("use_tls", "")), is_on(values.get("use_ssl", ""))
    if use_tls and use_ssl:
        raise ValueError("Either use_tls (STARTTLS, port 587) or use_ssl (port 465), not both.")
    port = values.get("port") or ("465" if use_ssl else "587" if use_tls else "25")
    if not port.isdecimal():
        raise ValueError(f"port must be a number, not {port!r}.")
    backend = partial(
        SmtpBackend,
        host=values["host"],
        port=int(port),
        username=values.get("username", ""),
        password=values.get("password", ""),
        use_tls=use_tls,
        use_ssl=use_ssl,
        egress=egress,
    )
    return Email(backend, from_email, values.get("callbacks", ""))


def for_platform(settings: Any, egress: Egress) -> Email | None:
    if not settings.EMAIL_BACKEND:
        return None
    return Email(partial(get_connection, settings.EMAIL_BACKEND), settings.DEFAULT_FROM_EMAIL)


def is_on(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}


SPEC = ChannelSpec(
    name="email",
    lane="email",
    provider="smtp",
    settings=(
        Setting("host", "Name of the SMTP server", is_required=True),
        Setting("port", "25, 465, 587 or 2525; by default the usual one for the encryption"),
        Setting("username", "Name to log in with, if the server asks for one"),
        Setting("password", "Password to log in with", is_secret=True),
        Setting("use_tls", "true: STARTTLS, usually port 587"),
        Setting("use_ssl", "true: TLS from the first byte, usually port 465"),
        Setting("from_email", "Sender, 'Shop <orders@example.com>'; by default the platform's"),
        RATE,
        Setting("callbacks", "The mail service that calls back; by default calls signed as Standard Webhooks say"),
        CALLBACK_SECRET,
    ),
    for_tenant=for_tenant,
    for_platform=for_platform,
    validate_address=read_address,
    limits=Limits(subject=SUBJECT),
)
