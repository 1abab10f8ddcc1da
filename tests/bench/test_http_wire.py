"""Framing of answers, and bodies with numbers in them."""

import json

import pytest

from bench.http_wire import Answer, Target, first_answer

WITH_LENGTH = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nabc\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
BARE = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (WITH_LENGTH, Answer(202, len(WITH_LENGTH), closes=False)),
        (WITH_LENGTH + b"HTTP/1.1 4", Answer(202, len(WITH_LENGTH), closes=False)),
        (CHUNKED, Answer(200, len(CHUNKED), closes=False)),
        (CLOSING, Answer(503, len(CLOSING), closes=True)),
        (BARE, Answer(204, len(BARE), closes=False)),
    ],
)
def test_first_answer_whole(received: bytes, expected: Answer) -> None:
    assert first_answer(received) == expected


@pytest.mark.parametrize("whole", [WITH_LENGTH, CHUNKED, CLOSING])
def test_first_answer_cut_anywhere(whole: bytes) -> None:
    assert [first_answer(whole[:end]) for end in range(len(whole))] == [None] * len(whole)


def test_encoder_numbers_every_place() -> None:
    target = Target("http://127.0.0.1:8000", "/v1/notify/", '{"to": "u{i}@é.test", "n": {i}}', key="k", modulo=10)

    head, _, body = target.encoder()(23).partition(b"\r\n\r\n")

    assert json.loads(body) == {"to": "u3@é.test", "n": 3}
    assert head.decode().split("\r\n") == [
        "POST /v1/notify/ HTTP/1.1",
        "Host: 127.0.0.1:8000",
        "X-API-KEY: k",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
