"""The client: checks where it goes, ends in time, and knows what a failure means for the message."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address

import orjson

from delivery_gateway.contract import Ambiguous, ContentRejected, DeliveryError, Misconfigured, Transient
from delivery_gateway.egress import connections
from delivery_gateway.egress.addresses import Address
from delivery_gateway.egress.connections import Connection, WholeResponse
from delivery_gateway.egress.deadlines import Deadline
from delivery_gateway.egress.destination import Destination, Unreadable, read_host
from delivery_gateway.egress.policy import SMTP_PORTS, WEB_PORTS, EgressPolicy, refused
from delivery_gateway.egress.replies import Reply
from delivery_gateway.egress.resolver import Resolve, ask_system, lookup
from delivery_gateway.egress.shelf import Shelf
from delivery_gateway.egress.wire import write_post
from traffic_control import __version__

Dial = Callable[..., connections.Socket]  # (host, port, timeout=seconds)
REST_SECONDS = 4.0  # shorter than the keep-alive of common servers (Node: 5 s), so that we hang up first
KEPT_PER_HOST, KEPT = 256, 512  # connections at rest: as many as one provider's calls at a time, and twice as many
HEADERS = {
    "User-Agent": f"TrafficControl/{__version__}",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json; charset=utf-8",
}


class Egress:
    """One policy's way out. Shared by threads; keeps HTTP connections open for the next message to the same host."""

    def __init__(
        self, policy: EgressPolicy, *, resolve: Resolve = ask_system, tls: ssl.SSLContext | None = None
    ) -> None:
        self.policy = policy
        self._resolve = resolve
        self.tls = tls or ssl.create_default_context()
        self._kept: Shelf[Connection] = Shelf(rest_seconds=REST_SECONDS, per_key=KEPT_PER_HOST, in_all=KEPT)

    def close(self) -> None:
        self._kept.clear()

    def post(
        self, url: str, *, body: object, headers: Mapping[str, str] | None = None, timeout: float | None = None
    ) -> Reply:
        """Posts `body` (bytes as they are, anything else as JSON); any status is an answer, redirects included.

        Ends within `timeout` (the policy's total by default) seconds of wall time. Raises Misconfigured
        (`egress_refused`), Transient while nothing was written, and Ambiguous from the first byte written on.
        """
        destination = self.policy.destination(url)
        content = body if isinstance(body, bytes) else _as_json(body)
        with Deadline(timeout or self.policy.total_seconds) as deadline:
            connection = self._connection(destination, deadline)
            try:
                request = write_post(destination, content, HEADERS | dict(headers or {}))
                reply = self._exchange(connection, deadline, request)
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                raise _lost(error, connection, destination, deadline) from error
            if connection.sock is not None:
                self._kept.put(_key(destination), connection)
        return reply

    def reach(self, url: str) -> str:
        """Connects, over TLS where the URL says so, says nothing and leaves; raises Misconfigured or Transient."""
        destination = self.policy.destination(url)
        with Deadline(self.policy.total_seconds) as deadline:
            self._connect(destination, deadline).close()
        return f"{destination.host} takes connections" + (", over TLS" if destination.scheme == "https" else "")

    def open_socket(
        self, host: str, port: int, *, timeout: float | None = None, ports: frozenset[int] = SMTP_PORTS
    ) -> socket.socket:
        """A connected TCP socket to one checked address of `host`. Raises Misconfigured or Transient."""
        ends_at = time.monotonic() + (timeout or self.policy.total_seconds)
        addresses = self._addresses(host.lower(), port, ports=ports, ends_at=ends_at)
        try:
            return _dial(addresses, port, min(self.policy.connect_seconds, ends_at - time.monotonic()))
        except TimeoutError:
            raise Transient(f"{host} did not accept a connection in time.", code="connect_timeout") from None
        except OSError as error:
            code = "connect_refused" if isinstance(error, ConnectionRefusedError) else "connect_failed"
            raise Transient(f"{host} could not be connected to: {error.strerror}.", code=code) from error

    def _addresses(self, host: str, port: int, *, ports: frozenset[int], ends_at: float) -> list[Address]:
        try:
            literal = read_host(host)
        except Unreadable as error:
            raise refused(f"{host[:100]} {error}.") from None
        seconds = max(0.001, min(self.policy.resolve_seconds, ends_at - time.monotonic()))
        found = [literal] if literal else lookup(host, port, resolve=self._resolve, seconds=seconds)
        self.policy.check(host, port, found, ports=ports)
        return found

    def _connection(self, destination: Destination, deadline: Deadline) -> Connection:
        """A kept connection that is still alive, or a new one."""
        while kept := self._kept.take(_key(destination)):
            if connections.is_usable(kept):
                deadline.watch(kept.sock)
                kept.timeout = deadline.remaining()
                return kept
            kept.close()
        return self._connect(destination, deadline)

    def _connect(self, destination: Destination, deadline: Deadline) -> Connection:
        host, port = destination.host, destination.port

        def dial() -> socket.socket:
            sock = self.open_socket(host, port, timeout=deadline.remaining(), ports=WEB_PORTS)
            sock.settimeout(deadline.remaining())
            deadline.watch(sock)
            return sock

        connection = connections.make(destination.scheme, host, port, self.tls, dial)
        connection.timeout = deadline.remaining()
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise _not_connected(error, host, deadline) from error
        return connection

    def _exchange(self, connection: Connection, deadline: Deadline, request: bytes) -> Reply:
        connection.has_written = False
        try:
            connections.write(connection, request)
        except (BrokenPipeError, ConnectionResetError):
            if not connection.has_written:
                raise
            # A server may refuse a long body early; what it said is still there to be read.
        response = connections.reply_of(connection)
        text, is_whole = self._read(response, deadline)
        if not is_whole or response.will_close:
            connection.close()
        return Reply(response.status, text, {name.lower(): value for name, value in response.getheaders()})

    def _read(self, response: WholeResponse, deadline: Deadline) -> tuple[str, bool]:
        """The reply's text as far as it is kept, and whether that was all of it.

        A success must arrive whole, or be cut by our own limit; a refusal is one however it ends.
        """
        limit = self.policy.reply_bytes
        with response:
            try:
                content = response.read(limit)
                if response.length and len(content) < limit:
                    raise http.client.IncompleteRead(content, response.length)
                if response.ends_with_connection and deadline.is_over:  # it was us who ended it
                    raise TimeoutError
                is_whole = response.isclosed()
            except (OSError, http.client.HTTPException) as error:
                if response.status < 300:
                    raise
                content, is_whole = getattr(error, "partial", b""), False
        is_encoded = response.getheader("content-encoding", "identity").lower() != "identity"
        return "" if is_encoded else content.decode("utf-8", "replace"), is_whole


def _key(destination: Destination) -> tuple[str, str, int]:
    return destination.scheme, destination.host, destination.port


def _as_json(body: object) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError as error:
        raise ContentRejected(f"The message cannot be written as JSON: {error}.", code="not_json") from None


def _dial(addresses: list[Address], port: int, seconds: float) -> socket.socket:
    """Tries the addresses in turn, each with its share of the time that is left. Raises OSError."""
    ends_at = time.monotonic() + seconds
    failure: OSError = OSError("it has no address")
    for others, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
        share = (ends_at - time.monotonic()) / (others + 1)
        try:
            return _dial_one(address, port, max(share, 0.001))
        except OSError as error:
            failure = error
    raise failure


def _dial_one(address: Address, port: int, seconds: float) -> socket.socket:
    sock = socket.create_connection((str(address), port), timeout=seconds)
    if ip_address(str(sock.getpeername()[0])) != address:
        sock.close()
        raise refused("The connection ended at another address than the one that was checked.")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _not_connected(error: OSError, host: str, deadline: Deadline) -> DeliveryError:
    if deadline.is_over or isinstance(error, TimeoutError):
        return Transient(f"{host} did not finish the TLS handshake in time.", code="tls_timeout")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Transient(f"The certificate of {host} is not valid: {error.verify_message}.", code="tls_certificate")
    return Transient(f"TLS with {host} failed: {error.strerror or type(error).__name__}.", code="tls_failed")


def _lost(error: Exception, connection: Connection, destination: Destination, deadline: Deadline) -> DeliveryError:
    """What a failure after the connection stood means. `error` may quote the peer, so only its kind is repeated."""
    host = destination.host
    if isinstance(error, ValueError) and not connection.has_written and not isinstance(error, OSError):
        return Misconfigured("A header has characters that HTTP does not allow.", code="invalid_header")
    if deadline.is_over or isinstance(error, TimeoutError):
        code, detail = "timeout", f"{host} did not answer in time."
    elif isinstance(error, (OSError, http.client.IncompleteRead)):
        code, detail = "connection_lost", f"{host} broke the connection off before its answer was complete."
    else:
        code, detail = "bad_reply", f"{host} did not answer in HTTP."
    return (Ambiguous if connection.has_written else Transient)(detail, code=code)
