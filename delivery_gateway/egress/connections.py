"""urllib3's connections with three differences: they dial where they are told, know whether they wrote, and age."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from typing import BinaryIO

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.wait import wait_for_read

Socket = socket.socket
FIRST_WRITE = 16_384  # bytes: the most that a TLS record takes
MAX_AGE = 60.0  # seconds: a change of DNS is followed within that time, however busy the connection is


class WholeResponse(http.client.HTTPResponse):
    """The standard library takes the end of the connection for the end of the headers; here it is an error."""

    def begin(self) -> None:
        stream = self.fp
        self.fp = _HeaderLines(stream)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            self.fp = stream

    @property
    def ends_with_connection(self) -> bool:
        """Whether nothing but the end of the connection says that the body is complete."""
        return self.length is None and not self.chunked


class _HeaderLines:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.close = stream.close

    def readline(self, limit: int) -> bytes:
        line = self._stream.readline(limit)
        if not line:
            raise http.client.IncompleteRead(b"")
        return line


class _Dialled:
    """Mixed in before urllib3's class. `has_written`: whether a byte of this request was handed to the system."""

    dial: Callable[[], socket.socket]
    born = 0.0  # on the monotonic clock
    has_written = False

    def _new_conn(self) -> socket.socket:
        return self.dial()


class PlainConnection(_Dialled, HTTPConnection):
    response_class = WholeResponse


class TlsConnection(_Dialled, HTTPSConnection):
    response_class = WholeResponse


Connection = PlainConnection | TlsConnection


def make(scheme: str, host: str, port: int, tls: ssl.SSLContext, dial: Callable[[], socket.socket]) -> Connection:
    """A connection, not yet connected; the certificate must be that of `host`."""
    connection = TlsConnection(host, port, ssl_context=tls) if scheme == "https" else PlainConnection(host, port)
    connection.dial = dial
    connection.born = time.monotonic()
    return connection


def is_usable(connection: Connection) -> bool:
    """False when the peer has closed it (or said anything unasked) while it rested, or when it is too old."""
    is_young = time.monotonic() - connection.born < MAX_AGE
    return is_young and connection.sock is not None and not is_dropped(connection.sock)


def is_dropped(sock: Socket) -> bool:
    """Whether the peer has closed a resting connection, or said something unasked, which comes to the same."""
    return wait_for_read(sock, timeout=0.0)


def write(connection: Connection, request: bytes) -> None:
    """All of it. `has_written` is set with the first byte: what follows a failure may have been understood.

    Within TLS the first write is one record: of a record that is cut short the peer sees nothing.
    """
    sock = connection.sock
    if sock is None:
        raise ConnectionResetError("it is closed")
    sent = sock.send(request[:FIRST_WRITE])
    connection.has_written = True
    if sent < len(request):
        sock.sendall(memoryview(request)[sent:])


def reply_of(connection: Connection) -> WholeResponse:
    """Not urllib3's response, which decompresses, and logs the URL of a strange one although that may be a secret."""
    response = WholeResponse(connection.sock, method="POST")
    try:
        response.begin()
    except BaseException:
        response.close()
        raise
    return response
