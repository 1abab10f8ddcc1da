"""Live inboxes as they stand in production: the real nginx in front of the web process and of the one that streams."""

import signal
import time
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.deployment.proxy import proxy
from tests.flow.inbox.conftest import arrive
from tests.flow.inbox.streaming import Listener
from tests.flow.stack import free_port, wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a process beside the test needs PostgreSQL"),
    pytest.mark.timeout(120),
]
OVER_TLS = {"X-Forwarded-Proto": "https"}
AT_ONCE = 0.5  # seconds


@pytest.fixture
def port(running):
    running.extra["BEHIND_PROXY"] = "1"
    place = free_port()
    running.streams(place)
    return place


@pytest.fixture
def edge(running, port, tmp_path):
    with proxy(tmp_path, webs=[urlsplit(running.web()).netloc], streams=f"127.0.0.1:{port}") as edge:
        yield f"http://127.0.0.1:{edge.port}"


def test_event_comes_through_nginx_unbuffered(edge, ann, token):
    own = edge.replace("http:", "https:")
    with Listener(edge, token, headers=OVER_TLS | {"Origin": own}) as stream:
        [first] = stream.until(1)
        assert (first.name, stream.answer_headers["Content-Type"]) == ("counts", "text/event-stream; charset=utf-8")
        assert stream.answer_headers["Access-Control-Allow-Origin"] == own
        waits = []
        for number in range(2, 12):
            began = time.monotonic()
            arrive(ann)
            stream.until(number)
            waits.append(time.monotonic() - began)

    assert sorted(waits)[5] < AT_ONCE
    assert stream.answer_headers["Content-Encoding"] is None


def test_what_was_missed_while_the_process_was_away_comes_through_nginx(running, edge, port, ann, token):
    with Listener(edge, token, headers=OVER_TLS) as before:
        before.until(1)
        arrive(ann)
        before.until(2)
        process = running.running.pop("streams")
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        wait_until(lambda: before.is_over, seconds=5, what="the end of the stream")
    missed = arrive(ann, 2)
    with Listener(edge, token, headers=OVER_TLS) as meanwhile:
        assert (meanwhile.status, meanwhile.problem["code"]) == (503, "unavailable")

    running.streams(port)

    wait_until(lambda: is_served(edge, token), seconds=20, what="nginx's return to it")
    with Listener(edge, token, last=before.events[1].version, headers=OVER_TLS) as after:
        assert (after.status, after.problem) == (200, {})
        assert [event.data["id"] for event in after.until(2)] == missed


def is_served(edge, token):
    with Listener(edge, token, headers=OVER_TLS) as stream:
        return stream.status == 200
