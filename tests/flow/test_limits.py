"""Limits on the way out: too many at once means later, never lost and never refused by the provider."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway import pacing
from delivery_gateway.models import Attempt, NotificationLog
from notification_processor import dispatching
from tests.conftest import needs_redis
from tests.flow.stack import wait_until
from tests.peers.http_server import Answer, Request
from tests.peers.webhook import WebhookPeer


class BusyWebhookPeer(WebhookPeer):
    """Answers 429 to whatever exceeds its rate: a bucket that holds a second's worth, as most providers have it."""

    def __init__(self, *, per_second: float) -> None:
        super().__init__()
        self.per_second = self.left = per_second
        self.asked_at = time.monotonic()
        self.turned_away = 0

    def answer(self, request: Request) -> Answer:
        now = time.monotonic()
        self.left = min(self.per_second, self.left + (now - self.asked_at) * self.per_second)
        self.asked_at = now
        if self.left < 1:
            self.turned_away += 1
            return Answer(429, "slow down", {"Retry-After": "1"})
        self.left -= 1
        return super().answer(request)


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True


@pytest.fixture
def busy(acme):
    """A receiver that takes ten a second."""
    with BusyWebhookPeer(per_second=10) as peer:
        peer.secret = acme.webhook_secret
        yield peer


def limit_webhooks(api, rate):
    (integration,) = [one for one in api.get("/v1/integrations/").json()["data"] if one["channel"] == "webhook"]
    return api.patch(f"/v1/integrations/{integration['id']}/", {"config": {"rate_limit": rate}})


def send(api, count, **message):
    items = [{"body": str(number), **message} for number in range(count)]
    return [item["id"] for item in api.post("/v1/notify/batch/", {"notifications": items}).json()["results"]]


def due_of(ids):
    return dict(NotificationLog.objects.filter(id__in=ids, status="scheduled").values_list("id", "due_at"))


def statuses():
    return set(NotificationLog.objects.values_list("status", flat=True))


def drain(*, seconds=30.0):
    """The dispatcher's rounds in real time, until everything has been sent."""

    def is_done():
        dispatching.tick()
        return statuses() == {"sent"}

    wait_until(is_done, seconds=seconds, what="delivery of everything")


# --- Providers --------------------------------------------------------------------------------------------------


@needs_redis
def test_burst_on_a_limited_provider_arrives_at_its_rate_and_none_is_turned_away(live, busy):
    assert limit_webhooks(live, "10/s").status_code == 200
    began = time.monotonic()

    send(live, 45, channel="webhook", to=busy.url)
    waiting = NotificationLog.objects.filter(status="scheduled")
    assert {(row.reason, row.attempts) for row in waiting} == {("provider_rate_limit", 0)}
    drain()

    took = time.monotonic() - began
    assert (len(busy.accepted), len(busy.received), busy.turned_away) == (45, 45, 0)
    assert 4.5 < took < 9  # nine a second, and the dispatcher's rounds
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"sent"}
    assert Attempt.objects.count() == 45


@needs_redis
def test_rows_keep_their_turns_whoever_comes_later(live, busy):
    limit_webhooks(live, "10/m")
    first = send(live, 30, channel="webhook", to=busy.url)
    turns = due_of(first)
    later = send(live, 10, channel="webhook", to=busy.url)

    dispatching.tick(now=timezone.now() + timedelta(hours=1))  # all are claimed again, long before their turns

    assert len(turns) == 29
    assert due_of(first) == turns
    assert min(due_of(later).values()) > max(turns.values())
    assert len(busy.received) == 1


@needs_redis
def test_row_that_missed_its_turn_takes_a_new_one(live, busy):
    limit_webhooks(live, "10/s")
    ids = send(live, 30, channel="webhook", to=busy.url)
    missed = timezone.now() - timedelta(minutes=5)
    NotificationLog.objects.filter(id__in=ids, status="scheduled").update(due_at=missed)

    drain()

    assert (len(busy.accepted), busy.turned_away) == (30, 0)


@needs_redis
def test_hook_with_a_pace_takes_a_short_burst_and_spreads_the_rest(live, slack_peer):
    send(live, 8, channel="slack", to=slack_peer.url)

    assert len(slack_peer.received) == 7  # five at once, two more within the batch's patience
    (waiting,) = NotificationLog.objects.filter(status="scheduled")
    assert (waiting.reason, waiting.detail) == ("provider_rate_limit", pacing.DETAIL)
    drain()


def test_limit_of_an_integration_replaces_the_channels_own(live, slack_peer):
    body = {"channel": "slack", "config": {"url": slack_peer.url, "rate_limit": "100/s"}}
    assert live.post("/v1/integrations/", body).json()["config"] == {"rate_limit": "100/s"}

    send(live, 20, channel="slack", to=slack_peer.url)

    assert (len(slack_peer.received), statuses()) == (20, {"sent"})


def test_limit_that_is_no_rate_is_refused(live):
    answer = limit_webhooks(live, "fast")

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, "#/config/rate_limit")
    assert "Write it as 100/m" in error["detail"]


def test_webhooks_have_no_limit_unless_one_is_set(live, acme, webhook_peer):
    webhook_peer.secret = acme.webhook_secret

    send(live, 200, channel="webhook", to=webhook_peer.url)

    assert (len(webhook_peer.received), statuses()) == (200, {"sent"})


def test_sandbox_has_no_pace(sandbox):
    send(sandbox, 50, channel="slack", to="https://hooks.slack.com/services/T0/B0/x")

    assert statuses() == {"sent"}


# --- Recipients -------------------------------------------------------------------------------------------------


@needs_redis
@pytest.mark.parametrize("who", [{"to": "ann@example.com"}, {"user_id": "ann"}])
def test_recipient_is_written_to_at_most_so_often_and_the_rest_waits(sandbox, settings, who):
    settings.RECIPIENT_RATE_LIMIT = "2/m"
    sandbox.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
    settled_at = timezone.now()

    send(sandbox, 5, channel="email", subject="x", **who)

    waits = [
        round((row.due_at - settled_at).total_seconds(), -1)  # type: ignore[operator]
        for row in NotificationLog.objects.filter(reason="recipient_rate_limit").order_by("due_at")
    ]
    assert waits == [60, 60, 120]
    dispatching.tick(now=timezone.now() + timedelta(seconds=65))
    assert NotificationLog.objects.filter(status="sent").count() == 4
    dispatching.tick(now=timezone.now() + timedelta(seconds=125))
    assert statuses() == {"sent"}


@needs_redis
def test_recipient_of_events_is_limited_on_each_channel_alone(sandbox, settings):
    settings.RECIPIENT_RATE_LIMIT = "1/m"
    sandbox.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
    for number in range(2):
        event = {"event_type": "NEWS", "user_id": "ann", "channels": ["email", "in_app"], "payload": {"number": number}}
        sandbox.post("/api/events/", event)

    found = sorted(NotificationLog.objects.values_list("channel", "status", "reason"))

    late = "recipient_rate_limit"
    assert found == [
        ("email", "scheduled", late), ("email", "sent", ""), ("in_app", "scheduled", late), ("in_app", "sent", "")
    ]  # fmt: skip


def test_recipients_do_not_share_a_limit(sandbox, settings):
    settings.RECIPIENT_RATE_LIMIT = "1/h"
    items = [{"channel": "email", "to": f"u{n}@example.com", "subject": "x", "body": "x"} for n in range(20)]

    sandbox.post("/v1/notify/batch/", {"notifications": items})

    assert statuses() == {"sent"}
