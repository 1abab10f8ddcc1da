"""Quiet hours on the way from the door to a real mail server: held and released, dropped, or no concern of theirs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway import counters, delivery, ledger, stopping
from delivery_gateway.models import NotificationLog
from notification_processor import direct_routing, releasing

ANN = {"user_id": "ann", "email": "ann@example.com"}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture
def quiet_now(live):
    """Ann's are on since an hour ago, and for about another."""
    now = timezone.now()
    span = [f"{now - timedelta(hours=1):%H:%M}", f"{now + timedelta(hours=1):%H:%M}"]
    live.post("/api/v1/customers/", ANN)
    hours = {"days": {day: [span] for day in DAYS}, "timezone": "UTC"}
    assert live.put("/v1/preferences/ann/", {"quiet_hours": hours}).json()["quiet_hours"] == {"enabled": True} | hours


@pytest.fixture(autouse=True)
def mailbox(settings, smtp_peer):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_peer.port
    settings.EMAIL_BACKEND = "delivery_gateway.channels.smtp.SmtpBackend"
    return smtp_peer


def send(live, kind, **fields):
    if kind == "notify":
        return live.post("/v1/notify/", {"channel": "email", "user_id": "ann", "body": "Hello"} | fields)
    live.post("/v1/templates/", {"name": "NEWS", "channel": "email", "subject": "News", "body": "Hello"})
    return live.post("/api/events/", {"event_type": "NEWS", "user_id": "ann", "channels": ["email"]} | fields)


def the_row():
    return NotificationLog.objects.get(channel="email")


@pytest.fixture
def pass_time(settings):
    """What the dispatcher and the workers make of it so many hours later."""

    def go(hours):
        settings.CELERY_TASK_ALWAYS_EAGER = False  # each at that time, not within the other and now
        later = timezone.now() + timedelta(hours=hours)
        stopping.expire(now=later)
        ledger.promote_due(now=later, limit=100)
        direct_routing.route_pending(now=later)
        releasing.release(now=later)
        settings.CELERY_TASK_ALWAYS_EAGER = True
        delivery.deliver("email")

    return go


@pytest.mark.parametrize("kind", ["notify", "event"])
def test_message_waits_until_they_are_over(live, mailbox, quiet_now, pass_time, kind):
    assert send(live, kind).status_code == 202

    row, ends = the_row(), timezone.now() + timedelta(hours=1)
    assert (row.status, row.reason) == ("scheduled", "quiet_hours")
    assert ends - timedelta(minutes=1) <= row.due_at <= ends + timedelta(minutes=10)
    assert "quiet hours last until" in row.detail

    pass_time(1.3)
    assert the_row().status == "sent"
    assert [mail.rcpt_tos for mail in mailbox.received] == [("ann@example.com",)]


@pytest.mark.parametrize("kind", ["notify", "event"])
def test_choice_made_meanwhile_holds(live, mailbox, quiet_now, pass_time, kind):
    send(live, kind)
    live.patch("/v1/preferences/ann/", {"channels": {"email": False}})

    pass_time(1.3)

    assert (the_row().status, the_row().reason) == ("suppressed", "channel_choice")
    assert not mailbox.received


def test_hours_that_last_longer_meanwhile_hold_it_again(live, mailbox, quiet_now, pass_time):
    send(live, "notify")
    until = timezone.now() + timedelta(hours=5)
    span = [f"{timezone.now() - timedelta(hours=1):%H:%M}", f"{until:%H:%M}"]
    live.patch("/v1/preferences/ann/", {"quiet_hours": {"days": {day: [span] for day in DAYS}}})

    pass_time(1.3)
    assert the_row().due_at > until - timedelta(minutes=1)

    pass_time(5.3)
    assert the_row().status == "sent"


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        ("hold", "scheduled", "quiet_hours"),
        ("digest", "scheduled", "quiet_hours_digest"),
        ("drop", "suppressed", "quiet_hours"),
        ("ignore", "sent", ""),
    ],
)
def test_workflow_says_what_becomes_of_it(live, quiet_now, action, status, reason):
    workflow = {"event_type": "NEWS", "channels": ["email"], "quiet_hours": action}
    assert live.post("/v1/workflows/", workflow).json()["quiet_hours"] == action

    send(live, "event")

    assert (the_row().status, the_row().reason) == (status, reason)


@pytest.mark.parametrize("kind", ["notify", "event"])
def test_critical_passes(live, quiet_now, kind):
    live.post("/v1/workflows/", {"event_type": "NEWS", "channels": ["email"], "critical": True})

    send(live, kind, **({"critical": True} if kind == "notify" else {}))

    assert the_row().status == "sent"


def test_inbox_is_never_quiet(live, quiet_now):
    live.post("/v1/notify/", {"channel": "in_app", "user_id": "ann", "body": "Hello"})

    assert NotificationLog.objects.get().status == "sent"


def test_message_that_expires_before_they_are_over_is_never_sent(live, mailbox, quiet_now, pass_time):
    send(live, "notify", expires_at=(timezone.now() + timedelta(minutes=30)).isoformat())

    pass_time(1.3)

    assert the_row().status == "expired"
    assert not mailbox.received


def test_held_message_is_counted_once(live, acme, quiet_now, pass_time):
    send(live, "event")
    pass_time(1.3)

    today = timezone.now().date()
    share = counters.totals(acme.tenant.id, since=today - timedelta(days=1), until=today + timedelta(days=2))
    assert (share.accepted, share.by_status) == (1, {"sent": 1})


def test_zone_of_the_tenant_counts_for_customers_without_one(live, quiet_now):
    assert live.patch("/v1/tenants/me/", {"timezone": "Asia/Tokyo"}).json()["timezone"] == "Asia/Tokyo"
    span = [f"{timezone.now() + timedelta(hours=8):%H:%M}", f"{timezone.now() + timedelta(hours=10):%H:%M}"]
    live.patch("/v1/preferences/ann/", {"quiet_hours": {"days": {day: [span] for day in DAYS}}})

    send(live, "notify")

    assert (the_row().status, the_row().reason) == ("scheduled", "quiet_hours")


@pytest.mark.parametrize(
    ("hours", "pointer"),
    [
        ([], "#/quiet_hours"),
        ({"enabled": True}, "#/quiet_hours/days"),
        ({"days": {"monday": []}}, "#/quiet_hours/days/monday"),
        ({"days": {"mon": [["22:00"]]}}, "#/quiet_hours/days/mon"),
        ({"days": {"mon": [["7:00", "8:00"]]}}, "#/quiet_hours/days/mon"),
        ({"days": {"mon": [["07:00", "07:00"]]}}, "#/quiet_hours/days/mon"),
        ({"days": {"mon": [[7, 8]]}}, "#/quiet_hours/days/mon"),
        ({"days": {day: [["00:00", "24:00"]] for day in DAYS}}, "#/quiet_hours/days"),
        ({"days": {}, "timezone": "Mars/Base"}, "#/quiet_hours/timezone"),
        ({"days": {}, "timezone": "../../etc/passwd"}, "#/quiet_hours/timezone"),
        ({"days": {}, "channels": ["emial"]}, "#/quiet_hours/channels"),
        ({"days": {}, "enabled": "yes"}, "#/quiet_hours/enabled"),
        ({"days": {}, "until": "07:00"}, "#/quiet_hours/until"),
    ],
)
def test_hours_that_are_none_are_refused(live, hours, pointer):
    answer = live.put("/v1/preferences/ann/", {"quiet_hours": hours})

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, [pointer])
