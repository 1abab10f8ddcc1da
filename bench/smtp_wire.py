"""The least that an SMTP client can do."""

import socket
import time

ENVELOPE = b"MAIL FROM:<shop@example.com>\r\nRCPT TO:<u%d@example.com>\r\nDATA\r\n"
MAIL = (
    b"From: shop@example.com\r\nTo: u%d@example.com\r\nSubject: order %d is on its way\r\n\r\n"
    + b"A line of text as long as such lines are.\r\n" * 12
    + b".\r\n"
)


def mails(port: int, seconds: float) -> float:
    """Mails per second over one kept connection, the envelope pipelined (RFC 2920)."""
    sent, began = 0, time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as replies:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        replies.readline()
        connection.sendall(b"HELO bench\r\n")
        while not replies.readline().startswith(b"250 "):
            pass
        while time.monotonic() - began < seconds:
            connection.sendall(ENVELOPE % sent)
            for _ in range(3):
                replies.readline()
            connection.sendall(MAIL % (sent, sent))
            replies.readline()
            sent += 1
    return sent / (time.monotonic() - began)
