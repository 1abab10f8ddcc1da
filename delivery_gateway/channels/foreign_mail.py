"""Mail through a Django backend that we know nothing of: an email service's API, a file, the console."""

import contextlib

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from delivery_gateway.channels.http import CLASSES
from delivery_gateway.channels.smtp_replies import error_for
from delivery_gateway.contract import Ambiguous, ContentRejected, DeliveryError, RecipientGone, Transient


def through_django(backend: BaseEmailBackend, mail: EmailMultiAlternatives) -> tuple[str, str]:
    """The provider's id and answer, from a backend we know nothing of; its connection is dropped after any failure."""
    try:
        backend.open()
        sent = backend.send_messages([mail])
    except Exception as error:
        close_quietly(backend)
        raise failure_of(error) from error
    if sent == 0:
        raise Transient("The email backend reported that nothing was sent.", code="not_sent")
    return _provider_id(mail), f"accepted by {type(backend).__module__}"


def failure_of(error: Exception) -> DeliveryError:
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


def close_quietly(backend: BaseEmailBackend) -> None:
    with contextlib.suppress(Exception):  # the failure before it is the one to report
        backend.close()


def _provider_id(mail: EmailMultiAlternatives) -> str:
    """The email service's own id where it gave one (django-anymail's convention), else the Message-ID."""
    given = getattr(getattr(mail, "anymail_status", None), "message_id", None)
    return str(given or mail.extra_headers["Message-ID"].strip("<>"))
