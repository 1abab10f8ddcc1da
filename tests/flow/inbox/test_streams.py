"""Live inboxes: what arrives is told at once, what was missed is told later, nothing is held for it meanwhile."""

import signal
import time

import pytest
from django.db import connection

from delivery_gateway import inbox
from delivery_gateway.inbox import Marks
from tests.flow.inbox.conftest import arrive
from tests.flow.inbox.streaming import Listener
from tests.flow.stack import free_port, wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a process beside the test needs PostgreSQL"),
    pytest.mark.timeout(120),
]


def mark_all(owner):
    inbox.mark(owner, inbox.items_of(owner), Marks(read=True))


def test_arrival_and_marks_are_told_to_every_stream(url, ann, token):
    with Listener(url, token) as one, Listener(url, token) as two:
        for stream in (one, two):
            [first] = stream.until(1)
            assert (first.name, first.version, first.unread) == ("counts", 0, 0)

        [message] = arrive(ann)
        for stream in (one, two):
            told = stream.until(2)[1]
            assert (told.name, told.data["id"], told.version, told.unread) == ("notification", message, 1, 1)

        mark_all(ann)
        for stream in (one, two):
            told = stream.until(3)[2]
            assert (told.name, told.version, told.unread) == ("counts", 2, 0)


def test_news_comes_within_a_moment(url, ann, token):
    with Listener(url, token) as stream:
        stream.until(1)
        waits = []
        for number in range(2, 12):
            began = time.monotonic()
            arrive(ann)
            stream.until(number)
            waits.append(time.monotonic() - began)

    assert sorted(waits)[5] < 0.5


def test_what_was_missed_is_told_in_order(url, ann, token):
    arrive(ann)
    missed = arrive(ann, 3)

    with Listener(url, token, last=1) as stream:
        events = stream.until(3)

    assert [event.data["id"] for event in events] == missed
    assert [event.version for event in events] == [2, 3, 4]


def test_nothing_missed_is_nothing_told(url, ann, token):
    arrive(ann, 2)

    with Listener(url, token, last=2) as stream:
        arrive(ann)
        events = stream.until(1)

    assert [(event.name, event.version) for event in events] == [("notification", 3)]


@pytest.mark.parametrize("last", [0, 999_999])
def test_who_missed_too_much_is_told_to_ask_for_everything(url, ann, token, last):
    arrive(ann, 101)

    with Listener(url, token, last=last) as stream:
        [event] = stream.until(1)

    assert (event.name, event.version, event.unread) == ("resync", 101, 101)


def test_restart_loses_nothing(running, ann, token):
    port = free_port()
    url = running.streams(port)
    with Listener(url, token) as before:
        before.until(1)
        arrive(ann)
        before.until(2)
        process = running.running.pop("streams")
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        wait_until(lambda: before.is_over, seconds=5, what="the end of the stream")
    missed = arrive(ann, 2)

    running.streams(port)

    with Listener(url, token, last=before.events[1].version) as after:
        assert [event.data["id"] for event in after.until(2)] == missed


def test_process_that_is_killed_loses_nothing(running, ann, token):
    port = free_port()
    url = running.streams(port)
    with Listener(url, token) as before:
        before.until(1)
        running.kill("streams")
        missed = arrive(ann)
        running.streams(port)
        with Listener(url, token, last=0) as after:
            assert [event.data["id"] for event in after.until(1)] == missed


def test_hint_that_is_lost_costs_time_only(url, ann, token, settings):
    with Listener(url, token) as stream:
        stream.until(1)
        settings.REDIS_KEY_PREFIX = "elsewhere:"
        [message] = arrive(ann)

        assert stream.until(2, seconds=25)[1].data["id"] == message


def test_idle_streams_hold_no_database_connection(url, ann, token, running):
    def held():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return cursor.fetchone()[0]

    with Listener(url, token) as one, Listener(url, token) as two:
        one.until(1), two.until(1)
        arrive(ann)
        one.until(2)
        two.until(2)

        wait_until(lambda: held() == 0, seconds=10, what="the last connection's end")
