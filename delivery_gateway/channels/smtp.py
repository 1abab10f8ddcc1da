"""Django's SMTP backend with checked sockets, wall-clock deadlines, and a memory of how far a message had got."""

import contextlib
import smtplib
import ssl
from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from typing import Any, BinaryIO, cast

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from delivery_gateway.channels.smtp_replies import error_for
from delivery_gateway.contract import DeliveryError
from delivery_gateway.egress import Dial, Egress, EgressPolicy, Socket, door, is_dropped
from delivery_gateway.egress.deadlines import Deadline

TOTAL_SECONDS = 15.0
GOODBYE_SECONDS = 1.0
REPLY_BYTES = 64 * 1024
OPERATORS_OWN = EgressPolicy(allow=(ip_network("0.0.0.0/0"), ip_network("::/0")))  # EMAIL_HOST may be anywhere


class SmtpBackend(EmailBackend):
    """Works as any Django backend; `deliver` is for the email channel, which must know what a failure means."""

    def __init__(
        self, *args: Any, egress: Egress | None = None, total_seconds: float = TOTAL_SECONDS, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.egress = egress or door(OPERATORS_OWN)
        self.total_seconds = total_seconds
        self.timeout = self.timeout or total_seconds
        self._deadline: Deadline | None = None
        if not (self.ssl_certfile or self.ssl_keyfile):
            self.ssl_context = self.egress.tls

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]  # a factory serves as well
        return partial(SmtpOverTls if self.use_ssl else Smtp, dial=self._dial)

    def deliver(self, mail: EmailMessage) -> str:
        """Hands one message over within `total_seconds` and leaves the connection open; what the server answered.

        A kept connection that the server has left is replaced, as long as it had not accepted the sender. Raises
        DeliveryError.
        """
        with Deadline(self.total_seconds) as self._deadline:
            try:
                return self._hand_over(mail)
            except (OSError, ValueError) as error:
                failure = self._failure(error)
                self._settle(error)
                raise failure from error
            except BaseException:  # interrupted: nobody knows what the server expects next
                self._hang_up()
                raise

    def close(self) -> None:
        """Says QUIT, but does not wait long for the answer."""
        smtp = self._smtp
        if smtp is not None and smtp.sock is not None:
            with contextlib.suppress(OSError):
                smtp.sock.settimeout(GOODBYE_SECONDS)
                smtp.quit()
        self._hang_up()

    @property
    def _smtp(self) -> "Smtp | None":
        return cast("Smtp | None", self.connection)

    def _hand_over(self, mail: EmailMessage) -> str:
        kept = self._smtp
        if kept is not None and (kept.sock is None or is_dropped(kept.sock)):
            self._hang_up()
            kept = None
        try:
            return self._send_once(mail)
        except OSError as error:
            if kept is None or kept.is_mail_accepted or not _is_goodbye(error):
                raise
        self._hang_up()
        return self._send_once(mail)

    def _send_once(self, mail: EmailMessage) -> str:
        is_new, smtp = self.open(), cast("Smtp", self.connection)
        if not is_new and smtp.sock is not None and self._deadline is not None:
            self._deadline.watch(smtp.sock)
        smtp.begin()
        self._send(mail)  # type: ignore[attr-defined]  # Django's own, one message over the open connection
        return smtp.answer

    def _dial(self, host: str, port: int, timeout: float) -> Socket:
        try:
            sock = self.egress.open_socket(host, port, timeout=timeout)
        except DeliveryError as error:
            raise ConnectionError(str(error)) from error  # what Django's callers expect
        sock.settimeout(timeout)
        if self._deadline is not None:
            self._deadline.watch(sock)
        return sock

    def _failure(self, error: Exception) -> DeliveryError:
        if isinstance(error.__cause__, DeliveryError):
            return error.__cause__
        is_late = self._deadline is not None and self._deadline.is_over
        return error_for(
            error,
            is_dot_written=self._smtp is not None and self._smtp.is_dot_written,
            is_late=is_late or isinstance(error.__context__, TimeoutError),
        )

    def _settle(self, error: Exception) -> None:
        """After a plain refusal smtplib has sent RSET, and the connection serves the next message."""
        is_refusal = isinstance(error, (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused))
        if not is_refusal or self.connection is None or self.connection.sock is None:
            self._hang_up()

    def _hang_up(self) -> None:
        for connection in (self.connection, self._partial_connection):  # type: ignore[has-type]
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None


def _is_goodbye(error: OSError) -> bool:
    """The server has ended the session: 421, or the connection is gone."""
    return isinstance(error, smtplib.SMTPServerDisconnected) or getattr(error, "smtp_code", None) == 421


class Smtp(smtplib.SMTP):
    """`is_mail_accepted`, `is_dot_written`: how far the message has got; `answer`: the reply to the whole of it."""

    def __init__(self, *args: Any, dial: Dial, **kwargs: Any) -> None:
        self._dial = dial
        self.begin()
        super().__init__(*args, **kwargs)

    def begin(self) -> None:
        self.is_mail_accepted = self.is_dot_written = False
        self.answer = ""

    def _get_socket(self, host: str, port: int, timeout: float) -> Socket:
        return self._dial(host, port, timeout)

    def send(self, s: Any) -> None:
        super().send(s)
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):  # commands are text; only a message is sent as bytes
            self.is_dot_written = True

    def mail(self, sender: str, options: Any = ()) -> tuple[int, bytes]:
        reply = super().mail(sender, options)
        self.is_mail_accepted = reply[0] == 250
        return reply

    def data(self, msg: Any) -> tuple[int, bytes]:
        try:
            code, text = super().data(msg)
        except smtplib.SMTPDataError:  # DATA itself was refused: the one refusal after which smtplib forgets RSET
            with contextlib.suppress(smtplib.SMTPServerDisconnected):
                self.rset()
            raise
        self.answer = f"{code} {text.decode('utf-8', 'replace')}"
        return code, text

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Capped(self.sock.makefile("rb"))
        if isinstance(self.file, _Capped):
            self.file.left = REPLY_BYTES
        return super().getreply()


class SmtpOverTls(Smtp):
    default_port = smtplib.SMTP_SSL_PORT

    def __init__(self, *args: Any, context: ssl.SSLContext, **kwargs: Any) -> None:
        self._context = context
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> Socket:
        return self._context.wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)


class _Capped:
    """A reply has no end by itself: lines beginning `250-` may go on for ever. OSError after `left` bytes."""

    left = REPLY_BYTES

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readline(self, limit: int) -> bytes:
        line = self._stream.readline(limit)
        self.left -= len(line)
        if self.left < 0:
            raise ConnectionError("the reply does not end")
        return line

    def close(self) -> None:
        self._stream.close()
