"""A choice holds for what is routed a second later by workers of their own, also when it was scheduled before."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from inbox.issuing import token_for
from tests.flow.stack import stack, wait_until
from tests.mission.product import Api

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="processes beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]
SALE = {"event_type": "SALE", "channels": ["in_app"], "category": "news"}
OFF = {"categories": {"news": {"in_app": False}}}
FINAL = ("sent", "suppressed", "failed")


@pytest.fixture
def running(acme, tmp_path):
    with stack(tmp_path, EGRESS_ALLOW="127.0.0.0/8") as started:
        started.worker()
        started.dispatcher()
        yield started


@pytest.fixture
def api(acme, running):
    """Through a web process of its own."""
    made = Api(running.web(), acme.api_key)
    assert made("POST", "/v1/workflows/", SALE).status == 201
    assert made("POST", "/api/v1/customers/", {"user_id": "ann"}).status == 201
    return made


def in_seconds(seconds):
    return {"send_at": (timezone.now() + timedelta(seconds=seconds)).isoformat()}


def event(api, **when):
    said = {"event_type": "SALE", "user_id": "ann", "payload": {}} | when
    return {"event_id": api("POST", "/api/events/", said).body["id"]}


def direct(api, **when):
    said = {"channel": "in_app", "user_id": "ann", "body": "Hi", "category": "news"} | when
    return {"id": api("POST", "/v1/notify/", said).body["id"]}


def ends(*wanted):
    def look():
        rows = [row for one in wanted for row in NotificationLog.objects.filter(status__in=FINAL, **one)]
        return len(rows) == len(wanted) and [(row.status, row.reason) for row in rows]

    return wait_until(look, seconds=30, what="the end of all messages")


def test_choice_of_a_user_holds_for_what_workers_route_a_second_later(acme, api):
    assert ends(event(api), direct(api)) == [("sent", "")] * 2  # the workers know her, and that she wants to hear it
    scheduled = [event(api, **in_seconds(3)), direct(api, **in_seconds(3))]
    user = Api(api.url)
    bearer = {"Authorization": f"Bearer {token_for(acme.tenant, 'ann', seconds=60)['token']}"}

    assert user("PATCH", "/v1/inbox/preferences/", OFF, **bearer).status == 200
    later = [event(api, **in_seconds(1)), direct(api, **in_seconds(1))]

    assert ends(*scheduled, *later) == [("suppressed", "category_channel_choice")] * 4

    assert user("PATCH", "/v1/inbox/preferences/", {"categories": {"news": None}}, **bearer).status == 200
    assert ends(event(api, **in_seconds(1)), direct(api, **in_seconds(1))) == [("sent", "")] * 2
