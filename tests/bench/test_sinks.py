"""The counting servers, spoken to by the clients of the standard library and by hand."""

import http.client
import smtplib
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.arrivals import reading as sink_reading

MAIL = "Subject: hi\r\n\r\nA line.\r\n.. a dot at its start\r\n"


def send_mails(port: int, number: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _ in range(number):
            assert client.sendmail("a@example.com", ["b@example.com", "c@example.com"], MAIL) == {}


def test_smtp_many_mails_on_one_connection(sink: Any) -> None:
    send_mails(sink.smtp_port, 5)

    assert sink_reading(sink.url)[0] == 5


def test_smtp_many_connections_at_once(sink: Any) -> None:
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda _: send_mails(sink.smtp_port, 2), range(20)))

    assert sink_reading(sink.url)[0] == 40


def test_smtp_pipelined_mails_with_an_empty_one(start_sink: Callable[..., Any]) -> None:
    sink = start_sink(delay_ms=20)
    commands = b"EHLO x\r\n" + 2 * b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n%s" + b"QUIT\r\n"
    with socket.create_connection(("127.0.0.1", sink.smtp_port)) as connection:
        connection.sendall(commands % (b".\r\n", b"Hello\r\n.\r\n"))
        replies = b"".join(iter(lambda: connection.recv(4096), b""))

    final = [line[:3] for line in replies.split(b"\r\n") if line[3:4] == b" "]
    assert final == [b"220", b"250", *2 * [b"250", b"250", b"354", b"250"], b"221"]
    assert sink_reading(sink.url)[0] == 2


def test_http_posts_on_one_connection(sink: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sink.http_port)
    for _ in range(3):
        connection.request("POST", "/hook", b"x" * 70_000)
        assert connection.getresponse().read() == b"ok"
    connection.close()

    assert sink_reading(sink.url)[0] == 3


def test_count_held_back_until_enough_arrived(sink: Any) -> None:
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(sink_reading, sink.url, at_least=3, wait=20)
        send_mails(sink.smtp_port, 3)

        arrived, last = waiting.result()

    assert arrived == 3
    assert 0 <= time.time() - last < 20


def test_count_held_back_no_longer_than_asked(sink: Any) -> None:
    assert sink_reading(sink.url, at_least=1, wait=0.05) == (0, 0.0)


def test_delay_holds_each_answer_back(start_sink: Callable[..., Any]) -> None:
    sink = start_sink(delay_ms=30)
    began = time.monotonic()

    send_mails(sink.smtp_port, 3)

    assert time.monotonic() - began >= 0.09
