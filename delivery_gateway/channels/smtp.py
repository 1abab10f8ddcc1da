"""Django's SMTP backend with checked sockets and wall-clock deadlines, and a shorter way for a mail that is text."""

import contextlib
import smtplib
import ssl
from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from typing import Any, cast

from django.core.mail.backends.smtp import EmailBackend

from delivery_gateway.channels.mime import Letter
from delivery_gateway.channels.smtp_replies import error_for
from delivery_gateway.channels.smtp_transaction import Progress, Transaction, Wire
from delivery_gateway.contract import DeliveryError
from delivery_gateway.egress import Dial, Egress, EgressPolicy, Socket, door, is_dropped
from delivery_gateway.egress.deadlines import Deadline

TOTAL_SECONDS = 15.0
GOODBYE_SECONDS = 1.0
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
        self._progress = Progress()
        if not (self.ssl_certfile or self.ssl_keyfile):
            self.ssl_context = self.egress.tls

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]  # a factory serves as well
        return partial(SmtpOverTls if self.use_ssl else Smtp, dial=self._dial)

    def deliver(self, letter: Letter) -> str:
        """Hands one mail over within `total_seconds` and leaves the connection open; what the server answered.

        A kept connection that the server has left is replaced, as long as it had not accepted the sender. Raises
        DeliveryError.
        """
        with Deadline(self.total_seconds) as self._deadline:
            self._progress = Progress()
            try:
                return self._hand_over(letter)
            except (OSError, ValueError) as error:
                raise self._failure(error) from error
            finally:
                if not self._progress.is_usable:  # or interrupted: nobody knows what the server expects next
                    self._hang_up()

    def knock(self) -> str:
        """Connects, greets, encrypts and logs in as for a mail, and leaves without one; what the server answered.

        Raises DeliveryError.
        """
        with Deadline(self.total_seconds) as self._deadline:
            try:
                self.open()
                smtp = cast("Smtp", self._smtp)
                smtp.ehlo_or_helo_if_needed()
                return smtp.noop()[1].decode("utf-8", "replace")
            except (OSError, ValueError) as error:
                raise self._failure(error) from error
            finally:
                self._hang_up()

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

    def _hand_over(self, letter: Letter) -> str:
        is_kept = self._is_kept()
        try:
            return self._send_once(letter)
        except (OSError, DeliveryError):
            if not is_kept or self._progress.is_mail_accepted or not self._progress.has_left:
                raise
        self._hang_up()
        return self._send_once(letter)

    def _is_kept(self) -> bool:
        """Whether there is a connection that still stands; what is left of another one is cleared away."""
        sock = self._smtp.sock if self._smtp else None
        if sock is not None and not is_dropped(sock):
            return True
        self._hang_up()
        return False

    def _send_once(self, letter: Letter) -> str:
        self._progress = Progress()
        if not self.open() and self._deadline and self._smtp and self._smtp.sock:
            self._deadline.watch(self._smtp.sock)
        return cast("Smtp", self._smtp).transaction(self._progress).hand_over(letter)

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
            is_dot_written=self._progress.is_dot_written,
            is_late=is_late or isinstance(error.__context__, TimeoutError),
        )

    def _hang_up(self) -> None:
        for connection in (self.connection, self._partial_connection):  # type: ignore[has-type]
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None


class Smtp(smtplib.SMTP):
    """Connects, greets, encrypts and logs in; mails go through its `transaction`."""

    def __init__(self, *args: Any, dial: Dial, **kwargs: Any) -> None:
        self._dial = dial
        super().__init__(*args, **kwargs)

    def transaction(self, progress: Progress) -> Transaction:
        """For the next mail. Raises OSError when the server does not even greet."""
        self.ehlo_or_helo_if_needed()
        is_pipelined, takes_size = self.has_extn("pipelining"), self.has_extn("size")
        return Transaction(self._wire(), progress, is_pipelined=is_pipelined, takes_size=takes_size)

    def _get_socket(self, host: str, port: int, timeout: float) -> Socket:
        return self._dial(host, port, timeout)

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None:
            self._wire().begin()
        return super().getreply()

    def _wire(self) -> Wire:
        """smtplib drops its file where a session begins anew, such as in TLS: what came before it is forgotten."""
        if not isinstance(self.file, Wire):
            self.file = Wire(cast(Socket, self.sock))
        return self.file


class SmtpOverTls(Smtp):
    default_port = smtplib.SMTP_SSL_PORT

    def __init__(self, *args: Any, context: ssl.SSLContext, **kwargs: Any) -> None:
        self._context = context
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> Socket:
        return self._context.wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)
