"""Real keys and real servers: SMTP, Slack, Teams, Telegram and a webhook receiver play the providers."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway.egress import EgressPolicy
from delivery_gateway.models import Attempt, DeadLetter, InboxItem, NotificationLog, Suppression
from notification_processor import dispatching
from tests.peers.telegram import TOKEN

EVERY = ("email", "slack", "teams", "telegram", "webhook", "in_app")


@pytest.fixture
def providers(settings, slack_peer, teams_peer, telegram_peer, webhook_peer, smtp_peer, acme):
    """The platform and the tenant are configured for the peers; retries are immediate."""
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    settings.EMAIL_BACKEND = "delivery_gateway.channels.smtp.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", smtp_peer.port, False
    settings.TELEGRAM_BASE_URL, settings.TELEGRAM_BOT_TOKEN = telegram_peer.base_url, TOKEN
    settings.RETRY_SCHEDULE = [1.0, 2.0, 4.0]
    webhook_peer.secret = acme.webhook_secret
    return {
        "email": smtp_peer,
        "slack": slack_peer,
        "teams": teams_peer,
        "telegram": telegram_peer,
        "webhook": webhook_peer,
    }


@pytest.fixture
def ann(live, providers):
    customer = {
        "user_id": "ann",
        "name": "Ann",
        "email": "ann@example.com",
        "addresses": {
            "slack": providers["slack"].url,
            "teams": providers["teams"].url,
            "telegram": "4711",
            "webhook": providers["webhook"].url,
        },
    }
    assert live.post("/api/v1/customers/", customer).status_code == 201
    live.put("/v1/preferences/ann/", {"channels": dict.fromkeys(EVERY, True)})
    return customer


def post_event(live, **fields):
    body = {"event_type": "ORDER_CREATED", "user_id": "ann", "payload": {"order_id": 7}} | fields
    return live.post("/api/events/", body).json()


def story_of(live, event, channel):
    (row,) = live.get(f"/v1/notifications/?event_id={event['id']}&channel={channel}").json()["data"]
    return live.get(f"/v1/notifications/{row['id']}/").json()


def let_time_pass(seconds):
    """What is scheduled comes due; nobody waits for it."""
    later = timezone.now() + timedelta(seconds=seconds)
    dispatching.tick(now=later)


def test_event_with_every_channel_on_arrives_once_on_each(live, ann, providers):
    event = post_event(live)

    assert {p: len(peer.received) for p, peer in providers.items()} == dict.fromkeys(providers, 1)
    mail = providers["email"].received[0].message
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "Order created")
    assert mail["Message-ID"].startswith(f"<{story_of(live, event, 'email')['id']}@")
    assert providers["slack"].received[0].json["blocks"][0]["text"]["text"] == "Order created"
    card = providers["teams"].received[0].json["attachments"][0]["content"]
    assert (card["type"], card["body"][0]["text"]) == ("AdaptiveCard", "Order created")
    assert providers["telegram"].received[0].json["chat_id"] == 4711
    (payload,) = providers["webhook"].accepted.values()
    assert (payload["type"], payload["data"]["payload"]) == ("ORDER_CREATED", {"order_id": 7})
    assert InboxItem.objects.get().title == "Order created"
    for channel in EVERY:
        story = story_of(live, event, channel)
        assert (story["status"], story["attempts"]) == ("sent", 1), story
        assert [step["what"] for step in story["timeline"]] == ["accepted", "routed", "attempt: sent"]


@pytest.mark.parametrize("channel", ["slack", "teams", "telegram", "webhook"])
def test_provider_out_of_order_twice_is_tried_a_third_time(live, ann, providers, channel):
    providers[channel].script("500", "500")

    event = post_event(live, channels=[channel])
    first = story_of(live, event, channel)
    let_time_pass(2)
    second = story_of(live, event, channel)
    let_time_pass(4)

    story = story_of(live, event, channel)
    assert (first["status"], second["status"], story["status"]) == ("scheduled", "scheduled", "sent")
    assert first["error"]["class"] == "transient"
    assert story["attempts"] == 3
    outcomes = list(Attempt.objects.order_by("number").values_list("outcome", "http_status"))
    assert outcomes == [("transient", 500), ("transient", 500), ("sent", 202 if channel == "teams" else 200)]
    assert not DeadLetter.objects.exists()


def test_mail_server_greylisting_is_tried_again_with_the_same_message_id(live, ann, providers):
    providers["email"].script("rcpt:450 4.2.0 greylisted")

    event = post_event(live, channels=["email"])
    assert story_of(live, event, "email")["error"]["class"] == "transient"
    let_time_pass(600)

    story = story_of(live, event, "email")
    assert (story["status"], story["attempts"]) == ("sent", 2)
    assert providers["email"].received[0].message["Message-ID"].startswith(f"<{story['id']}@")


def test_provider_out_of_order_for_ever_ends_in_one_dead_letter_and_can_be_replayed(live, ann, providers):
    providers["slack"].always("500")

    event = post_event(live, channels=["slack"])
    for _ in range(6):
        let_time_pass(10)

    story = story_of(live, event, "slack")
    assert (story["status"], story["reason"], story["attempts"]) == ("failed", "retries_exhausted", 4)
    (letter,) = live.get("/v1/dead-letters/").json()["data"]
    assert (letter["notification"]["id"], letter["retry_count"]) == (story["id"], 3)
    assert len(providers["slack"].received) == 4

    providers["slack"].forget()
    dry = live.post("/v1/dead-letters/replay/", {"dry_run": True}).json()
    replayed = live.post(f"/v1/dead-letters/{letter['id']}/replay/")

    assert (dry, replayed.status_code) == ({"count": 1, "replayed": 0}, 202)
    assert story_of(live, event, "slack")["status"] == "sent"
    assert len(providers["slack"].received) == 1
    assert live.get("/v1/dead-letters/").json()["data"][0]["is_resolved"] is True
    assert live.post(f"/v1/dead-letters/{letter['id']}/replay/").status_code == 409


def test_provider_that_throttles_is_waited_for_and_no_attempt_is_counted(live, ann, providers):
    providers["webhook"].script("429:30")

    event = post_event(live, channels=["webhook"])
    story = story_of(live, event, "webhook")
    assert (story["status"], story["attempts"], story["error"]["class"]) == ("scheduled", 0, "throttled")
    due_at = NotificationLog.objects.get().due_at
    assert due_at is not None
    wait = due_at - timezone.now()
    assert timedelta(seconds=25) < wait <= timedelta(seconds=30)
    let_time_pass(20)
    assert len(providers["webhook"].received) == 1
    let_time_pass(31)

    assert story_of(live, event, "webhook")["attempts"] == 1


@pytest.mark.parametrize("status", ["403", "404"])
def test_hook_that_is_gone_fails_at_once_and_works_after_repair(live, ann, providers, status):
    providers["slack"].script(status)

    event = post_event(live, channels=["slack"])

    story = story_of(live, event, "slack")
    assert (story["status"], story["error"]["class"], story["attempts"]) == ("failed", "config", 1)
    (letter,) = live.get("/v1/dead-letters/?group_by=cause").json()["data"]
    assert letter["count"] == 1
    assert live.post("/v1/dead-letters/replay/", {"channel": "slack"}).json() == {"count": 1, "replayed": 1}
    assert story_of(live, event, "slack")["status"] == "sent"
    assert DeadLetter.objects.count() == 1


def test_chat_that_resets_after_the_request_is_repeated_twice_then_held(live, ann, providers):
    providers["slack"].always("reset")

    event = post_event(live, channels=["slack"])
    for _ in range(4):
        let_time_pass(10)

    story = story_of(live, event, "slack")
    assert (story["status"], story["reason"], story["ambiguous"]) == ("held", "ambiguous", 3)
    assert len(providers["slack"].received) == 3


def test_webhook_that_resets_is_repeated_with_the_same_id(live, ann, providers):
    providers["webhook"].script("reset")

    event = post_event(live, channels=["webhook"])
    let_time_pass(2)

    story = story_of(live, event, "webhook")
    assert (story["status"], story["ambiguous"]) == ("sent", 1)
    assert {r.headers["webhook-id"] for r in providers["webhook"].received} == {story["id"]}


def test_chat_that_blocked_the_bot_is_suppressed_from_then_on(live, ann, providers):
    providers["telegram"].blocked.add(4711)

    first = post_event(live, channels=["telegram"])
    second = post_event(live, channels=["telegram"])

    assert story_of(live, first, "telegram")["error"]["class"] == "recipient"
    assert story_of(live, second, "telegram")["reason"] == "address_suppressed"
    assert Suppression.objects.count() == 1
    assert len(providers["telegram"].received) == 1


def test_integration_whose_credentials_are_refused_is_paused_until_it_is_mended(live, ann, providers):
    body = {"channel": "telegram", "config": {"bot_token": "1:wrong"}, "is_default": True}
    integration = live.post("/v1/integrations/", body).json()

    first = post_event(live, channels=["telegram"])
    second = post_event(live, channels=["telegram"])

    assert story_of(live, first, "telegram")["error"]["class"] == "config"
    held = story_of(live, second, "telegram")
    assert (held["status"], held["reason"]) == ("held", "integration_paused")

    path = f"/v1/integrations/{integration['id']}/"
    assert live.patch(path, {"config": {"bot_token": TOKEN}}).status_code == 200
    let_time_pass(0)

    assert story_of(live, second, "telegram")["status"] == "sent"


def test_integration_test_sends_one_message_and_tells_the_outcome(live, providers):
    body = {"channel": "slack", "config": {"url": providers["slack"].url}}
    integration = live.post("/v1/integrations/", body).json()
    path = f"/v1/integrations/{integration['id']}/test/"
    providers["slack"].script("ok", "404")

    good, bad = live.post(path, {}).json(), live.post(path, {}).json()

    assert good["ok"] is True
    assert (bad["ok"], bad["error"]["class"], bad["error"]["code"]) == (False, "config", "no_service")


def test_provider_that_hangs_is_given_up_at_the_deadline(live, ann, providers, monkeypatch):
    as_configured = EgressPolicy.from_settings
    monkeypatch.setattr(EgressPolicy, "from_settings", lambda chosen: replace(as_configured(chosen), total_seconds=0.5))
    providers["webhook"].script("hang")

    event = post_event(live, channels=["webhook"])

    story = story_of(live, event, "webhook")
    assert (story["status"], story["error"]["class"], story["ambiguous"]) == ("scheduled", "ambiguous", 1)
