"""Live inboxes: what arrives is told at once, what was missed is told later, and nothing is held for it meanwhile."""

import signal
import time

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway import inbox
from delivery_gateway.inbox import Marks, Owner
from delivery_gateway.models import NotificationLog
from inbox import tokens
from inbox.issuing import token_for
from tenants import inbox_secrets
from tenants.models import InboxSecret
from tests.flow.stack import free_port, stack, wait_until
from tests.flow.streaming import Listener
from traffic_control.ids import uuid7
from user_preferences.models import Customer

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a process beside the test needs PostgreSQL"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def running(acme, tmp_path, settings):
    with stack(tmp_path) as started:
        settings.REDIS_KEY_PREFIX = started.prefix
        yield started


@pytest.fixture
def url(running):
    return running.streams()


@pytest.fixture
def ann(acme):
    return Owner(acme.tenant.id, Customer.objects.create(tenant=acme.tenant, user_id="ann").id)


@pytest.fixture
def token(acme, ann):
    return token_for(acme.tenant, "ann", seconds=3_600)["token"]


def arrive(owner, number=1):
    rows = [
        NotificationLog(id=uuid7(), tenant_id=owner.tenant_id, customer_id=owner.customer_id, subject="Hello")
        for _ in range(number)
    ]
    inbox.put(rows, now=timezone.now())
    return [str(row.id) for row in rows]


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


def test_sixth_stream_takes_the_place_of_the_oldest(url, ann, token):
    streams = [Listener(url, token) for _ in range(6)]
    try:
        for stream in streams:
            stream.__enter__()
            stream.until(1)

        wait_until(lambda: streams[0].is_over, seconds=5, what="the end of the oldest")
        assert (streams[0].events[-1].name, streams[0].events[-1].data) == ("bye", {"reason": "replaced"})
        assert not any(stream.is_over for stream in streams[1:])
    finally:
        for stream in streams:
            stream.__exit__()


def test_full_process_sends_pages_to_poll(running, ann, token):
    running.extra["INBOX_STREAMS"] = "1"
    url = running.streams()

    with Listener(url, token), Listener(url, token) as second:
        assert (second.status, second.problem["code"]) == (503, "too_many_streams")
        assert second.answer_headers["Retry-After"] == "30"


def test_deleted_secret_ends_its_streams(url, acme, ann, token):
    with Listener(url, token) as stream:
        stream.until(1)
        inbox_secrets.revoke(InboxSecret.objects.get())

        wait_until(lambda: stream.is_over, seconds=15, what="the end of the stream")

    assert stream.events[-1].data == {"reason": "refused"}


def test_forgotten_customer_hears_no_more(url, acme, ann, token):
    with Listener(url, token) as stream:
        stream.until(1)
        Customer.objects.all().delete()

        wait_until(lambda: stream.is_over, seconds=15, what="the end of the stream")

    assert stream.events[-1].data == {"reason": "refused"}


def test_token_that_expires_ends_its_stream(url, acme, ann):
    signer = inbox_secrets.newest_of(acme.tenant)
    token = tokens.sign(signer, "ann", now=time.time() - 58, seconds=60)

    with Listener(url, token) as stream:
        wait_until(lambda: stream.is_over, seconds=15, what="the end of the stream")

    assert stream.events[-1].data == {"reason": "expired"}


def test_user_who_becomes_a_customer_hears_of_it(url, acme):
    signer = inbox_secrets.newest_of(acme.tenant)
    with Listener(url, tokens.sign(signer, "new", now=time.time(), seconds=60)) as stream:
        new = Owner(acme.tenant.id, Customer.objects.create(tenant=acme.tenant, user_id="new").id)
        arrive(new)

        assert stream.until(1, seconds=25)[0].unread == 1


def test_stream_of_another_user_says_nothing(url, acme, ann, token):
    signer = inbox_secrets.newest_of(acme.tenant)
    bob = Owner(acme.tenant.id, Customer.objects.create(tenant=acme.tenant, user_id="bob").id)
    with Listener(url, token) as hers, Listener(url, tokens.sign(signer, "bob", now=time.time(), seconds=60)) as his:
        hers.until(1), his.until(1)
        arrive(bob)
        his.until(2)

        assert len(hers.events) == 1


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer x.y.z"}, 401, "invalid_token"),
        ({"Authorization": ""}, 401, "not_authenticated"),
        ({"Origin": "https://evil.example"}, 403, "origin_not_allowed"),
    ],
)
def test_stream_is_refused_as_the_other_calls_are(url, ann, token, headers, status, code):
    with Listener(url, token, headers=headers) as stream:
        assert (stream.status, stream.problem["code"]) == (status, code)


def test_web_process_says_that_it_does_not_stream(acme, ann, token):
    from rest_framework.test import APIClient

    answer = APIClient(headers={"Authorization": f"Bearer {token}"}).get("/v1/inbox/stream/")

    assert (answer.status_code, answer.json()["code"]) == (501, "streaming_unavailable")
