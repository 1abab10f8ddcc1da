"""Replies as they come off the wire, whole or not, sense or not."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery_gateway.channels.smtp_transaction import REPLY_BYTES, Reply, Wire


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        yield ours, theirs


def read_all(octets: bytes, ends: tuple[socket.socket, socket.socket]) -> list[Reply]:
    """The replies in `octets`, then the server hangs up."""
    ours, theirs = ends
    theirs.sendall(octets)
    theirs.shutdown(socket.SHUT_WR)
    wire, replies = Wire(ours), []
    with contextlib.suppress(ConnectionError):
        while True:
            replies.append(wire.read())
    return replies


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"250 ok\r\n354 go\r\n", [(250, "ok"), (354, "go")]),
        (b"250-one\r\n250-two\r\n250 three\r\n250\r\n", [(250, "one\ntwo\nthree"), (250, "")]),
        (b"250 bare\n", [(250, "bare")]),
        (b"\r\nHTTP/1.1 400 Bad\r\n99\r\n250 ok\r\n", [(-1, ""), (-1, "/1.1 400 Bad"), (-1, ""), (250, "ok")]),
        (b"250 \xff\r\n", [(250, "�")]),
        (b"250 never ends", []),
        (b"250-never ends\r\n", []),
        (b"250-one\r\nnonsense\r\n", [(-1, "one\nense")]),
    ],
)
def test_replies_are_read_line_by_line(
    octets: bytes, expected: list[tuple[int, str]], ends: tuple[socket.socket, socket.socket]
) -> None:
    assert read_all(octets, ends) == expected


@pytest.mark.parametrize("line", [b"250-and\r\n", b"250 and "])
def test_a_reply_without_an_end_is_given_up(line: bytes, ends: tuple[socket.socket, socket.socket]) -> None:
    assert read_all(line * (REPLY_BYTES // len(line) + 2), ends) == []


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b"250", b"-", b" ", b"\r\n", b"\n", b"354"]))))
def test_no_reply_is_a_surprise(pieces: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)

        replies = read_all(b"".join(pieces), (ours, theirs))

        assert all(-1 <= reply.code <= 999 for reply in replies)
