"""The load client against a server that answers everything: the HTTP sink."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bench.client import Client
from bench.cpu import Meter
from bench.http_wire import Target
from bench.load import Plan, measure, quantile


def test_measure_until_count(sink: Any) -> None:
    target = Target(sink.url, "/hook", '{"n": {i}}', key="k")
    meter = Meter({"sink": sink.pid}, frozenset([os.getpid()]))

    taken = measure(target, Plan(connections=4, count=200, sink=sink.url, settle=0.0), meter)

    assert (taken.requests, taken.statuses, taken.hang_ups) == (200, {200: 200}, 0)
    assert (taken.expected, taken.delivered) == (200, 200)
    assert taken.accepted_per_s == pytest.approx(200 / taken.seconds)
    assert 0 < taken.p50_ms <= taken.p99_ms
    assert list(taken.cpu_seconds) == ["sink"]


def test_measure_until_time_is_over(sink: Any) -> None:
    taken = measure(Target(sink.url, "/hook", "{}", key="k"), Plan(seconds=0.2, settle=0.0), Meter({}))

    assert taken.requests > 16
    assert 0.2 <= taken.seconds < 5


def test_measure_gives_up_on_what_never_arrives(sink: Any) -> None:
    plan = Plan(count=1, per_request=2, sink=sink.url, patience=0.1, settle=0.0)

    taken = measure(Target(sink.url, "/hook", "{}", key="k"), plan, Meter({}))

    assert (taken.expected, taken.delivered) == (2, 1)


def test_measure_one_by_one_until_each_has_arrived(start_sink: Any) -> None:
    sink = start_sink(delay_ms=20)
    plan = Plan(count=3, sink=sink.url, is_one_by_one=True, settle=0.0)

    taken = measure(Target(sink.url, "/hook", "{}", key="k"), plan, Meter({}))

    assert (taken.delivered, taken.statuses) == (3, {200: 3})
    assert 20 <= taken.p50_ms <= taken.p99_ms < taken.seconds * 1000


class Closing(http.server.BaseHTTPRequestHandler):
    """Hangs up after each answer, and without one when the body says so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True
        if body != b"3":
            self.send_response(503)
            self.send_header("Connection", "close")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def closing_url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Closing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_client_connects_again_after_each_hang_up(closing_url: str) -> None:
    client = Client(Target(closing_url, "/", "{i}", key="k"), connections=2, count=10)

    client.run()

    assert (dict(client.statuses), client.hang_ups) == ({503: 9}, 1)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_quantile_of_sorted_values(share: float, expected: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], share) == expected


def test_command_line_prints_one_json_object(sink: Any) -> None:
    options = ["--url", sink.url, "--path", "/hook", "--key", "k", "--body", "{i}", "--count", "20"]
    options += ["--sink", sink.url, "--charge", f"sink={sink.pid}"]

    printed = subprocess.run([sys.executable, "-m", "bench.load", *options], capture_output=True, check=True).stdout

    assert json.loads(printed)["delivered"] == 20
