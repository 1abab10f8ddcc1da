"""What providers call back with, about mail that a real SMTP server took: told once, and to whom it belongs."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway import counters, leases
from delivery_gateway.contract import Receipt
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog, ProviderEvent, Suppression
from tenants.services import register
from tests.conftest import client_with
from tests.flow.callbacks.calls import SERVICES, sent, story, tell
from tests.flow.stack import wait_until
from tests.peers.mail_services import Call, call
from traffic_control.metrics import METER


@pytest.mark.parametrize("service", SERVICES)
def test_delivered_is_told_by_every_service(live, integrate, provider, service):
    url, notification = integrate(service), sent(live)

    answer = tell(provider, url, call(service, "delivered", notification))

    assert (answer.status_code, answer.json()["applied"]) == (200, 1)
    told = story(live, notification)
    assert (told["status"], told["timeline"][-1]["what"]) == ("delivered", "delivered")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
def test_bounce_for_good_suppresses_the_address_and_names_it_nowhere(live, integrate, provider, service):
    url, notification = integrate(service), sent(live)

    answer = tell(provider, url, call(service, "bounced", notification))

    assert answer.json()["applied"] == 1, answer.content
    told = story(live, notification)
    assert told["status"] == "bounced"
    assert "550 5.1.1" in told["timeline"][-1]["detail"]
    assert "bob@example.com" not in json.dumps(told | {"to": ""}).lower()
    assert [(row.scope, row.reason) for row in Suppression.objects.all()] == [("", "bounced")]
    again = live.post("/v1/notify/", {"channel": "email", "to": "BOB@example.com", "body": "x", "critical": True})
    assert story(live, again.json()["id"])["reason"] == "address_suppressed"


@pytest.mark.parametrize("service", SERVICES)
def test_bounce_that_may_pass_suppresses_nothing(live, integrate, provider, service):
    url, notification = integrate(service), sent(live)

    tell(provider, url, call(service, "soft", notification))

    assert story(live, notification)["status"] == "bounced"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
def test_complaint_keeps_back_all_but_what_is_critical(live, integrate, provider, service):
    url, notification = integrate(service), sent(live)

    tell(provider, url, call(service, "complained", notification))

    assert [(row.scope, row.reason) for row in Suppression.objects.all()] == [("*", "complained")]
    assert story(live, notification)["timeline"][-1]["what"] == "complained"
    sent(live, critical=True)


@pytest.mark.parametrize("service", ["mailgun", "postmark", "resend", "sparkpost", "mailjet"])
def test_opened_is_nobodys_business(live, integrate, provider, service):
    url, notification = integrate(service), sent(live)

    assert tell(provider, url, call(service, "opened", notification)).json()["ignored"] == 1
    assert (story(live, notification)["status"], ProviderEvent.objects.count()) == ("sent", 0)


@pytest.mark.parametrize(
    ("service", "field"),
    [
        ("postmark", "X-PM-Metadata-notification"),
        ("resend", "X-Metadata"),
        ("brevo", "X-Mailin-custom"),
        ("sparkpost", "X-MSYS-API"),
        ("mailjet", "X-MJ-EventPayload"),
        ("mailgun", "Message-ID"),
    ],
)
def test_mail_carries_what_its_service_gives_back(live, mailbox, integrate, service, field):
    integrate(service)
    notification = sent(live)

    assert notification in mailbox.received[-1].message[field]


def test_first_word_counts(live, integrate, provider):
    url, bounced, delivered = integrate(), sent(live), sent(live, to="eve@example.com")
    for notification, kinds in ((bounced, ("soft", "delivered")), (delivered, ("delivered", "bounced"))):
        for kind in kinds:
            assert tell(provider, url, call("standard_webhooks", kind, notification)).status_code == 200

    assert [story(live, one)["status"] for one in (bounced, delivered)] == ["bounced", "delivered"]
    assert [step["what"] for step in story(live, bounced)["timeline"]][-2:] == ["bounced", "delivered"]
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("service", SERVICES)
def test_same_news_twice_is_once(live, integrate, provider, service):
    url, notification = integrate(service), sent(live)
    news = call(service, "bounced", notification)
    tell(provider, url, news)
    Suppression.objects.all().delete()  # an operator lifted it

    answer = tell(provider, url, news)

    assert (answer.status_code, answer.json()["repeated"]) == (200, 1)
    assert (ProviderEvent.objects.count(), Suppression.objects.count()) == (1, 0)


def test_counters_follow(live, integrate, provider, acme):
    url, today = integrate(), timezone.now().date()
    ids = [sent(live, to=f"{name}@example.com") for name in ("ann", "ben", "cem")]
    news = [call("standard_webhooks", kind, one) for kind, one in zip(("delivered", "soft"), ids, strict=False)]
    for told in (*news, *news):
        tell(provider, url, told)

    share = counters.totals(acme.tenant.id, since=today, until=today + timedelta(days=1))
    assert (share.accepted, share.open, share.by_status) == (3, 0, {"sent": 1, "delivered": 1, "bounced": 1})
    rows = dict.fromkeys(share.by_status, 0)
    for status in NotificationLog.objects.values_list("status", flat=True):
        rows[status] += 1
    assert rows == share.by_status


def test_what_was_counted_is_in_the_metrics(live, integrate, provider):
    url, notification = integrate(), sent(live)
    before = wait_until(METER.totals, what="Redis")
    tell(provider, url, call("standard_webhooks", "delivered", notification))
    tell(provider, url, call("standard_webhooks", "delivered", str(uuid.uuid4())))
    tell(provider, url, Call(b"{}"))

    after = wait_until(METER.totals, what="Redis")
    new = {series[1:]: n - before.get(series, 0) for series, n in after.items() if series[0] == "provider_callbacks"}
    service = "standard_webhooks"
    assert {series: n for series, n in new.items() if n} == {
        (service, "delivered", "applied"): 1,
        (service, "delivered", "unknown"): 1,
        (service, "none", "refused"): 1,
    }


def test_unknown_notification_is_answered_like_any_other(live, integrate, provider):
    answer = tell(provider, integrate(), call("standard_webhooks", "bounced", str(uuid.uuid4())))

    assert (answer.status_code, answer.json()["unknown"]) == (200, 1)
    assert not Suppression.objects.exists()


def test_news_before_the_sending_is_recorded_is_asked_for_again(live, integrate, provider, settings):
    url = integrate()
    settings.CELERY_TASK_ALWAYS_EAGER = False
    notification = live.post("/v1/notify/", {"channel": "email", "to": "bob@example.com", "body": "Hello"}).json()["id"]
    (claimed,) = leases.claim("email", limit=1, now=timezone.now())
    news = call("standard_webhooks", "delivered", notification)

    early = tell(provider, url, news)
    leases.finish([Outcome(claimed, Receipt("1"), timezone.now())])
    again = tell(provider, url, news)

    assert (early.status_code, early.json()["code"], int(early["Retry-After"]) > 0) == (503, "not_sent_yet", True)
    assert again.json()["applied"] == 1


def test_notification_of_another_tenant_is_unknown(live, integrate, provider, settings):
    url = integrate()
    globex = client_with(register("Globex", "ops@globex.test").api_key)
    integrate(api=globex)
    theirs = sent(globex)

    answer = tell(provider, url, call("standard_webhooks", "bounced", theirs))

    assert answer.json()["unknown"] == 1
    assert story(globex, theirs)["status"] == "sent"
    assert not Suppression.objects.exists()


def test_notification_of_another_channel_is_unknown(live, integrate, provider, acme):
    url = integrate()
    notification = sent(live)
    NotificationLog.objects.update(channel="slack")

    assert tell(provider, url, call("standard_webhooks", "bounced", notification)).json()["unknown"] == 1
