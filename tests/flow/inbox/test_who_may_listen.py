"""Live inboxes: how many streams there may be, whose, and when they end."""

import time

import pytest
from django.db import connection

from delivery_gateway.inbox import Owner
from inbox import issuing, tokens
from tenants import inbox_secrets
from tenants.models import InboxSecret
from tests.flow.inbox.conftest import arrive
from tests.flow.inbox.streaming import Listener
from tests.flow.stack import wait_until
from user_preferences.models import Customer

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a process beside the test needs PostgreSQL"),
    pytest.mark.timeout(120),
]


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


def test_revoked_token_ends_its_streams_and_opens_none(url, acme, ann, token):
    with Listener(url, token) as stream:
        stream.until(1)
        issuing.revoke(acme.tenant, "ann")

        wait_until(lambda: stream.is_over, seconds=10, what="the end of the stream")
    assert stream.events[-1].data == {"reason": "refused"}

    with (
        Listener(url, token) as again,
        Listener(url, issuing.token_for(acme.tenant, "ann", seconds=60)["token"]) as new,
    ):
        assert (again.status, again.problem["code"]) == (401, "token_revoked")
        assert new.status == 200


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
