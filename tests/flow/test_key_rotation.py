"""Keys change while messages flow, through several web processes that each keep keys of their own."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from tenants import keys
from tenants.models import ApiKey
from tests.flow.scrape import ask
from tests.flow.stack import Stack, stack, wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a server beside the test needs PostgreSQL"),
    pytest.mark.timeout(120),
]

SEND = {"channel": "email", "to": "user@example.com", "subject": "Hello", "body": "It works."}
REVOKED_WITHIN = 5.0  # seconds
GAP = 0.02  # between two requests


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stack]:
    with stack(tmp_path) as processes:
        yield processes


@pytest.fixture
def webs(acme, running: Stack) -> list[str]:
    """Two servers of two processes each; every request opens a connection, and so any process may get it."""
    return [running.web(name, processes=2) for name in ("web-1", "web-2")]


def post(web: str, key: str) -> int:
    status: int = ask(f"{web}/v1/notify/", key=key, body=SEND)[0]
    return status


def until(moment: float) -> Iterator[float]:
    """Times to ask at."""
    while (now := time.monotonic()) < moment:
        yield now
        time.sleep(GAP)


def test_revoked_key_is_refused_everywhere_within_five_seconds(acme, webs):
    key, raw = keys.issue(acme.tenant, "test", name="Leaked", scopes=["send"])
    warm = {post(web, raw) for web in webs * 10}
    revoked = ask(f"{webs[0]}/v1/api-keys/{key.id}/", key=acme.api_key, method="DELETE")[0]
    at = time.monotonic()

    answers = [(asked - at, post(web, raw)) for asked, web in zip(until(at + 8), itertools.cycle(webs), strict=False)]

    accepted = [seconds for seconds, status in answers if status == 202]
    print(f"\naccepted for {max(accepted, default=0.0):.1f} s after it was revoked, {len(answers)} requests")
    assert (warm, revoked) == ({202}, 204)
    assert max(accepted, default=0.0) < REVOKED_WITHIN
    assert {status for seconds, status in answers if seconds > REVOKED_WITHIN} <= {401, 429}


def test_rotation_loses_no_request_and_no_message(acme, webs, running: Stack):
    old = keys.issue(acme.tenant, "test", name="Old", scopes=["send"])
    running.worker()
    running.dispatcher()
    before = [post(web, old[1]) for web in webs * 10]

    made = ask(f"{webs[0]}/v1/api-keys/", key=acme.api_key, body={"name": "New", "mode": "test", "scopes": ["send"]})
    fresh = json.loads(made[1])["api_key"]
    overlap = [post(web, raw) for web in webs * 10 for raw in (old[1], fresh)]
    ask(f"{webs[1]}/v1/api-keys/{old[0].id}/", key=acme.api_key, method="DELETE")
    after = [post(web, fresh) for web in webs * 10]

    assert {*before, *overlap, *after} == {202}
    assert ApiKey.objects.get(pk=old[0].pk).revoked_at is not None
    accepted = len(before) + len(overlap) + len(after)
    wait_until(lambda: NotificationLog.objects.filter(status="sent").count() == accepted, what="delivery of all")


def test_scope_that_is_taken_away_or_given_counts_within_five_seconds(acme, webs):
    key, raw = keys.issue(acme.tenant, "test", name="Reader", scopes=["read"])
    refused = {post(web, raw) for web in webs * 10}
    ApiKey.objects.filter(pk=key.pk).update(scopes=["read", "send"])
    at = time.monotonic()

    answers = [(asked - at, post(web, raw)) for asked, web in zip(until(at + 7), itertools.cycle(webs), strict=False)]

    assert refused == {403}
    assert {status for seconds, status in answers if seconds > REVOKED_WITHIN} == {202}
