"""Digests of what quiet hours held, from the door to a real mail server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from delivery_gateway import counters, delivery, held, ledger, stopping, suppressions
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import DeadLetter, NotificationLog
from monitoring.ledger_audit.audit import audit
from monitoring.ledger_audit.evidence import gathered
from notification_processor import direct_routing, releasing
from tenants.services import register
from tests.conftest import client_with, needs_redis
from traffic_control.people import Person, export, holdings
from user_preferences.models import Customer

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKFLOW = {"event_type": "NEWS", "channels": ["email"]}


@pytest.fixture(autouse=True)
def mailbox(settings, smtp_peer):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_peer.port
    settings.EMAIL_BACKEND = "delivery_gateway.channels.smtp.SmtpBackend"
    return smtp_peer


def keep_quiet(api, user_id="ann", **fields):
    """Since an hour ago, and for about another."""
    now = timezone.now()
    span = [f"{now - timedelta(hours=1):%H:%M}", f"{now + timedelta(hours=1):%H:%M}"]
    api.post("/api/v1/customers/", {"user_id": user_id, "email": f"{user_id}@example.com", "name": "Ann"} | fields)
    hours = {"days": {day: [span] for day in DAYS}, "timezone": "UTC"}
    assert api.patch(f"/v1/preferences/{user_id}/", {"quiet_hours": hours}).status_code == 200


@pytest.fixture
def quiet(live):
    keep_quiet(live)
    return live


def send(api, number=6, **fields):
    common = {"channel": "email", "user_id": "ann"} | fields
    bodies = [{"subject": f"Title {n}", "body": f"Text {n}"} | common for n in range(number)]
    assert api.post("/v1/notify/batch/", {"notifications": bodies}).status_code == 202


def publish(api, number, **workflow):
    parts = {"name": "NEWS", "channel": "email", "subject": "News {{ n }}", "body": "Hello"}
    assert api.post("/v1/templates/", parts).status_code == 201
    assert api.post("/v1/workflows/", WORKFLOW | workflow).status_code == 201
    for n in range(number):
        event = {"event_type": "NEWS", "user_id": "ann", "payload": {"n": n}}
        assert api.post("/api/events/", event).status_code == 202


def pass_time(settings, hours=1.3):
    """What the dispatcher and the workers make of it so many hours later."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    later = timezone.now() + timedelta(hours=hours)
    stopping.expire(now=later)
    ledger.promote_due(now=later, limit=100)
    while releasing.release(now=later):
        pass
    settings.CELERY_TASK_ALWAYS_EAGER = True
    delivery.deliver("email")


def the_digest():
    return NotificationLog.objects.get(event_type="quiet_hours_digest")


def shown(api, row):
    return api.get(f"/v1/notifications/{row.id}/").json()


def ends():
    rows = NotificationLog.objects.exclude(event_type="quiet_hours_digest").order_by("id")
    return [(row.status, row.reason) for row in rows]


def assert_ledger_is_sound():
    with gathered(None, None) as evidence:
        report = audit(evidence, since=None, is_settled=True, patience=timedelta(seconds=60))
    assert dict(report.findings) == {}


def test_five_are_sent_one_by_one(quiet, settings, mailbox):
    send(quiet, 5)

    pass_time(settings)

    assert ends() == [("sent", "")] * 5
    assert len(mailbox.received) == 5


def test_six_are_one_mail_and_each_points_at_it(quiet, settings, mailbox):
    send(quiet, 6)

    pass_time(settings)

    digest = the_digest()
    assert ends() == [("suppressed", "digested")] * 6
    assert (digest.status, digest.user_id, digest.to) == ("sent", "ann", "ann@example.com")
    (mail,) = mailbox.received
    assert all(f"Title {n}" in mail.content.decode() for n in range(6))
    first = shown(quiet, NotificationLog.objects.filter(reason="digested")[0])
    assert first["digest_id"] == str(digest.id)
    assert str(digest.id) in first["summary"]
    assert first["provider_message_id"] is None
    assert [step["what"] for step in first["timeline"]] == ["accepted", "digested"]
    assert {"rule": "quiet_hours", "outcome": "delayed"}.items() <= first["decisions"][1].items()
    assert {"rule": "digested", "outcome": "digested"}.items() <= first["decisions"][-1].items()
    assert_ledger_is_sound()


def test_digest_says_what_it_stands_for(quiet, settings):
    send(quiet, 6)
    pass_time(settings)

    told = shown(quiet, the_digest())

    assert (told["digest"]["count"], told["digest"]["more"]) == (6, 0)
    assert [item["title"] for item in told["digest"]["items"]] == [f"Title {n}" for n in range(6)]
    assert [d["rule"] for d in told["decisions"]] == ["digest"]
    assert any("stands for 6 notifications" in step["detail"] for step in told["timeline"])


def test_workflow_that_says_digest_gets_one_of_two(quiet, settings, mailbox):
    publish(quiet, 2, quiet_hours="digest", category="news")
    send(quiet, 2)

    pass_time(settings)

    assert ends() == [("suppressed", "digested")] * 2 + [("sent", "")] * 2
    assert len(mailbox.received) == 3
    assert (the_digest().category, the_digest().subject) == ("news", "2 messages came in while you were away")


def test_one_alone_is_sent_as_it_is_whatever_the_workflow_says(quiet, settings, mailbox):
    publish(quiet, 1, quiet_hours="digest")

    pass_time(settings)

    assert ends() == [("sent", "")]
    assert "News 0" in mailbox.received[0].content.decode()


def test_choice_and_suppression_made_meanwhile_hold(quiet, settings, mailbox):
    send(quiet, 3, category="news")
    send(quiet, 3, category="offers")
    send(quiet, 6, category="orders")
    quiet.patch("/v1/preferences/ann/", {"categories": {"news": {"email": False}}})
    tenant_id = NotificationLog.objects.values_list("tenant_id", flat=True)[0]
    address = suppressions.address_hash(tenant_id, "ann@example.com")
    suppressions.add(tenant_id, "email", address, scope="offers", reason="complaint")

    pass_time(settings)

    refused = [("suppressed", "category_channel_choice")] * 3 + [("suppressed", "address_suppressed")] * 3
    assert ends() == refused + [("suppressed", "digested")] * 6
    assert (the_digest().category, the_digest().payload["count"]) == ("orders", 6)


def test_hours_that_last_longer_meanwhile_hold_all_of_it_again(quiet, settings, mailbox):
    publish(quiet, 6, quiet_hours="digest")
    span = [f"{timezone.now() + timedelta(hours=shift):%H:%M}" for shift in (-1, 5)]
    quiet.patch("/v1/preferences/ann/", {"quiet_hours": {"days": {day: [span] for day in DAYS}, "timezone": "UTC"}})

    pass_time(settings)
    assert ends() == [("scheduled", "quiet_hours_digest")] * 6

    pass_time(settings, hours=5.3)
    assert ends() == [("suppressed", "digested")] * 6
    assert len(mailbox.received) == 1


def test_expired_and_cancelled_ones_are_not_in_it(quiet, settings):
    send(quiet, 1, expires_at=(timezone.now() + timedelta(minutes=30)).isoformat())
    send(quiet, 1)
    cancelled = NotificationLog.objects.order_by("-id")[0]
    assert quiet.post(f"/v1/notifications/{cancelled.id}/cancel/").status_code == 200
    send(quiet, 6)

    pass_time(settings)

    assert ends() == [("expired", "expired"), ("cancelled", "cancelled")] + [("suppressed", "digested")] * 6
    assert the_digest().payload["count"] == 6


def test_template_of_the_tenant_takes_the_place_of_the_starter(quiet, settings, mailbox):
    words = {"subject": "{{ count }} for {{ customer.name }}", "body": "x", "html": "{{ items[0].title }}"}
    made = quiet.post("/v1/templates/", {"name": "quiet_hours_digest", "channel": "email"} | words)
    assert made.status_code == 201, made.json()
    send(quiet, 6, subject="<script>alert(1)</script>{{ 7 * 7 }}")

    pass_time(settings)

    digest = the_digest()
    assert (digest.subject, digest.template_name, digest.template_version) == ("6 for Ann", "quiet_hours_digest", 1)
    assert digest.html == "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}"


def test_template_that_fails_gives_way_to_the_built_in_words(quiet, settings, mailbox):
    quiet.post("/v1/templates/", {"name": "quiet_hours_digest", "channel": "email", "body": "{{ nowhere.street }}"})
    send(quiet, 6, subject="<b>\n\r Bold\x07")

    pass_time(settings)

    digest = the_digest()
    assert (digest.status, digest.template_name) == ("sent", "(built-in)")
    assert "<li>&lt;b&gt; Bold</li>" in digest.html
    assert not DeadLetter.objects.exists()


def test_digest_lists_the_first_fifty_and_counts_the_others(quiet, settings, mailbox, monkeypatch):
    monkeypatch.setattr(held, "MOST", 60)
    send(quiet, 61)

    pass_time(settings)

    digest = the_digest()
    assert (digest.payload["count"], digest.payload["more"], len(digest.payload["items"])) == (60, 10, 50)
    assert "Title 49\nand 10 more." in digest.body
    assert ends()[-2:] == [("suppressed", "digested"), ("sent", "")]  # what is too many for one goes later
    assert len(mailbox.received) == 2


def test_nothing_crosses_from_one_tenant_to_another(quiet, settings):
    elsewhere = client_with(register("Globex", "ops@globex.test").api_key)
    keep_quiet(elsewhere)
    send(quiet, 4)
    send(elsewhere, 4)

    pass_time(settings)

    assert ends() == [("sent", "")] * 8


def test_test_key_has_a_digest_of_its_own_in_the_sandbox(quiet, acme, settings, mailbox):
    send(quiet, 4)
    send(client_with(acme.test_api_key), 6)

    pass_time(settings)

    assert (the_digest().mode, the_digest().status) == ("test", "sent")
    assert len(mailbox.received) == 4
    caught = client_with(acme.test_api_key).get("/v1/sandbox/messages/").json()["data"]
    assert [message["payload"]["count"] for message in caught] == [6]


def test_explanation_of_an_event_tells_of_the_digest(quiet, settings):
    publish(quiet, 2, quiet_hours="digest")
    pass_time(settings)
    row = NotificationLog.objects.filter(reason="digested")[0]

    told = quiet.get("/v1/explain/", {"event_id": str(row.event_id), "user_id": "ann"}).json()

    assert told["summary"] == "ann was told on email (in a digest)."
    assert [d["rule"] for d in told["notifications"][0]["decisions"]] == [
        "system_default", "quiet_hours_digest", "digested",
    ]  # fmt: skip


def test_each_is_counted_once(quiet, acme, settings):
    send(quiet, 6)
    pass_time(settings)

    today = timezone.now().date()
    share = counters.totals(acme.tenant.id, since=today - timedelta(days=1), until=today + timedelta(days=2))
    assert (share.accepted, share.by_status) == (7, {"suppressed": 6, "sent": 1})


@needs_redis
def test_digest_takes_one_turn_of_its_recipient(quiet, settings):
    settings.RECIPIENT_RATE_LIMIT = "2/h"
    publish(quiet, 3, quiet_hours="digest")
    send(quiet, 2)

    pass_time(settings)

    assert ends()[3:] == [("sent", ""), ("sent", "")]
    assert (the_digest().status, the_digest().reason) == ("scheduled", "recipient_rate_limit")


def test_digest_is_exported_and_erased_with_its_recipient(quiet, acme, settings):
    send(quiet, 6)
    pass_time(settings)
    digest = the_digest()
    person = Person(
        tenant_id=acme.tenant.id, until=timezone.now() + timedelta(days=1), user_id="ann",
        customer_id=digest.customer_id, addresses=(("email", "ann@example.com"),),
    )  # fmt: skip
    assert [row["id"] for row in export(person)["notifications"]].count(digest.id) == 1

    (ledgers,) = [holding for holding in holdings() if holding.name == "notifications"]
    with transaction.atomic():
        ledgers.at_once(person)
        assert ledgers.step(person, "").cursor is None

    digest.refresh_from_db()
    assert (digest.to, digest.body, digest.payload, digest.user_id) == ("", "", None, "")
    assert not NotificationLog.objects.exclude(provider_message_id="").exists()


@pytest.mark.parametrize(
    ("night", "over", "offsets"),
    [
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC), ("+02:00", "+01:00")),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC), ("+01:00", "+02:00")),
    ],
)
def test_night_in_which_clocks_change_ends_once(acme, settings, night, over, offsets):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    hours = {"enabled": True, "days": {"sat": [["22:00", "07:00"]]}}
    ann = Customer.objects.create(
        tenant=acme.tenant, user_id="ann", email="a@example.com", timezone="Europe/Warsaw", quiet_hours=hours
    )
    for n in range(6):
        at = night + timedelta(minutes=40 * n)
        about: Any = {"user_id": "ann", "customer_id": ann.id, "to": ann.email, "subject": f"{n}", "body": "x"}
        ledger.open_rows([NewNotification(tenant_id=acme.tenant.id, channel="email", created_at=at, **about)])
        direct_routing.route_pending(now=at)
    (due_at,) = set(NotificationLog.objects.values_list("due_at", flat=True))
    assert due_at is not None
    assert over <= due_at < over + timedelta(minutes=10)

    assert not releasing.release(now=due_at - timedelta(seconds=1))
    assert releasing.release(now=due_at)
    assert not releasing.release(now=due_at)

    held_until = the_digest().payload
    assert (held_until["count"], held_until["first_at"][-6:], held_until["last_at"][-6:]) == (6, *offsets)
