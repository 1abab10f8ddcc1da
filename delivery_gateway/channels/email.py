"""Email through any Django backend: the platform's EMAIL_BACKEND, or a tenant's own SMTP server.

Our own SmtpBackend gets the mail as text, which costs a sixth to an eighth of the CPU time; others get Django's
EmailMultiAlternatives. Connections are kept open between messages, whichever thread sends them, but not for ever: a new
one asks anew where the server is. The Message-ID is made of the notification's id, so mail clients fold a repeated
message into the first.
"""

import re
import time
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

from delivery_gateway.channels.foreign_mail import close_quietly, failure_of, through_django
from delivery_gateway.channels.http import shorten
from delivery_gateway.channels.mail_extras import extra_fields
from delivery_gateway.channels.mime import Letter, Letterhead
from delivery_gateway.channels.smtp import SmtpBackend
from delivery_gateway.channels.smtp_replies import error_for
from delivery_gateway.channels.spec import CALLBACK_SECRET, RATE, ChannelSpec, Limits, Setting
from delivery_gateway.contract import (
    EXCERPT,
    ContentRejected,
    DeliveryError,
    Message,
    Misconfigured,
    Receipt,
    RecipientGone,
)
from delivery_gateway.egress import Egress
from delivery_gateway.egress.shelf import Shelf

SUBJECT = 980  # characters: a header line has at most 998 (RFC 5322), and a long word cannot be folded
REST_SECONDS = 30.0  # servers may hang up on a silent client after 5 minutes (RFC 5321), many do sooner
MAX_AGE = 60.0  # seconds, as HTTP connections have it
KEPT = 256  # a place for each call that can be under way (see runway.py) with a DELIVERY_CONCURRENCY of up to 150
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Line:
    """A backend with its connection; `born`, on the monotonic clock, before it was opened."""

    backend: BaseEmailBackend
    born: float

    def close(self) -> None:
        self.backend.close()


_kept: Shelf[Line] = Shelf(rest_seconds=REST_SECONDS, per_key=KEPT, in_all=KEPT)


@dataclass(frozen=True, eq=False)
class Email:
    """`backend` makes a new, unopened connection; `service` is whose callbacks are awaited.

    `max_age`: seconds after which a connection takes no further mail, however busy it is.
    """

    backend: Callable[[], BaseEmailBackend]
    from_email: str
    service: str = ""
    max_age: float = MAX_AGE

    def send(self, message: Message) -> Receipt:
        line = self._line()
        backend = line.backend
        try:
            if isinstance(backend, SmtpBackend):
                letter = self._letter(message)
                provider_id, answer = letter.message_id, backend.deliver(letter)
            else:
                provider_id, answer = through_django(backend, compose(message, self.from_email))
        except DeliveryError as error:
            error.detail = _redact(error.detail, message.address)
            _kept.put(self, line)
            raise
        _kept.put(self, line)
        return Receipt(provider_id, _redact(answer, message.address)[:EXCERPT])

    def prove(self, address: str) -> str:
        backend = self.backend()
        if isinstance(backend, SmtpBackend):
            backend.knock()
            return f"{backend.host}:{backend.port} lets us in"
        try:
            backend.open()
        except Exception as error:
            raise failure_of(error) from error
        finally:
            close_quietly(backend)
        return f"{type(backend).__module__} is ready"

    def close(self) -> None:
        _kept.clear(self)

    def _line(self) -> Line:
        """The one that rests on top, unless it is too old; then a new one."""
        now, kept = time.monotonic(), _kept.take(self)
        if kept and now - kept.born < self.max_age:
            return kept
        if kept:
            close_quietly(kept.backend)
        return Line(self.backend(), now)

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


def _redact(text: str, address: str) -> str:
    return text.replace(address, "<recipient>") if address else text


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
    return Email(backend, from_email, values.get("callbacks", ""), settings.EMAIL_CONN_MAX_AGE)


def for_platform(settings: Any, egress: Egress) -> Email | None:
    if not settings.EMAIL_BACKEND:
        return None
    backend = partial(get_connection, settings.EMAIL_BACKEND)
    return Email(backend, settings.DEFAULT_FROM_EMAIL, max_age=settings.EMAIL_CONN_MAX_AGE)


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
