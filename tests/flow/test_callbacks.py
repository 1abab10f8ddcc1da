"""Callbacks of providers over HTTP, about mail that a real SMTP server took."""

import json
import time
import uuid
from datetime import timedelta
from ipaddress import IPv4Address
from random import randrange

import pytest
from django.test import Client
from django.utils import timezone

from delivery_gateway import counters, leases
from delivery_gateway.contract import Receipt
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog, ProviderEvent, Suppression
from monitoring.models import AuditEntry
from tenants import callback_urls
from tenants.models import Integration
from tenants.services import register
from tests.conftest import client_with, needs_redis
from tests.flow.stack import wait_until
from tests.peers.mail_services import BODIES, SIGNING_SECRET, Call, call, secret_of, signed
from traffic_control.guessing import GUESSES
from traffic_control.metrics import METER

SERVICES = tuple(BODIES)


@pytest.fixture
def mailbox(settings, smtp_peer, acme):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    return smtp_peer


@pytest.fixture
def integrate(live, mailbox):
    """An integration for mail that awaits the callbacks of a service; its callback URL."""

    def make(service="standard_webhooks", api=live):
        config = {"host": "127.0.0.1", "port": mailbox.port, "from_email": "Acme <orders@acme.example>"}
        config |= {"callbacks": service, "callback_secret": secret_of(service)}
        answer = api.post("/v1/integrations/", {"channel": "email", "config": config})
        assert answer.status_code == 201, answer.json()
        return answer.json()["callback_url"]

    return make


@pytest.fixture
def provider():
    """Guesses are counted by address, so each has its own."""
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=str(IPv4Address(0x0A000000 + randrange(1 << 24))))


def sent(live, **fields):
    """The id of a notification that the mail server has taken."""
    body = {"channel": "email", "to": "bob@example.com", "subject": "News", "body": "Hello"} | fields
    receipt = live.post("/v1/notify/", body).json()
    assert story(live, receipt["id"])["status"] == "sent"
    return receipt["id"]


def story(live, notification):
    return live.get(f"/v1/notifications/{notification}/").json()


def tell(provider, url, told: Call):
    return provider.generic("POST", url, told.body, content_type="application/json", headers=told.headers)


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


@pytest.mark.parametrize("service", SERVICES)
def test_call_that_is_not_proven_changes_nothing(live, integrate, provider, service):
    url, notification = integrate(service), sent(live)
    wrong = {"mailgun": "x" * 32, "resend": f"whsec_{'A' * 32}", "standard_webhooks": f"whsec_{'A' * 32}"}
    forged = call(service, "bounced", notification, secret=wrong.get(service, "somebody:else-altogether"))
    bare = Call(call(service, "bounced", notification, secret=wrong.get(service, "a:b")).body)

    answers = [tell(provider, url, told) for told in (forged, bare)]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(401, "invalid_signature")] * 2
    assert (story(live, notification)["status"], Suppression.objects.count()) == ("sent", 0)


@pytest.mark.parametrize(
    ("service", "age"), [("standard_webhooks", 301), ("standard_webhooks", -302), ("resend", 301), ("mailgun", 32_500)]
)
def test_call_signed_too_long_ago_is_refused(live, integrate, provider, service, age):
    url, notification = integrate(service), sent(live)

    answer = tell(provider, url, call(service, "bounced", notification, sent_at=time.time() - age))

    assert (answer.status_code, answer.json()["code"]) == (401, "stale_callback")
    assert story(live, notification)["status"] == "sent"


def test_body_that_was_altered_is_refused(live, integrate, provider):
    url, notification = integrate(), sent(live)
    told = call("standard_webhooks", "delivered", notification)

    answer = tell(provider, url, Call(told.body.replace(b"delivered", b"bounced"), told.headers))

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"[]", 400, "invalid_callback"),
        (b"7", 400, "invalid_callback"),
        (b"null", 400, "invalid_callback"),
        (b"{}", 400, "invalid_callback"),
        (b'{"a": ', 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"[" * 5_000, 400, "json_too_deep"),
        (b'{"a": NaN}', 400, "malformed_json"),
        (b'{"type": "notification.bounced", "data": {"id": "x"}}', 400, "invalid_callback"),
        (b'{"type": "notification.bounced", "data": {"id": null}}', 400, "invalid_callback"),
        (b'{"type": ["a"], "data": {"id": "019aa4b1-7c00-7000-8000-0123456789ab"}}', 200, None),
        (b'{"type": "notification.bounced", "data": "x"}', 400, "invalid_callback"),
    ],
)
def test_proven_nonsense_is_a_400(live, integrate, provider, body, status, code):
    url = integrate()
    headers = signed(body.decode("latin-1"), "webhook", time.time(), SIGNING_SECRET) if body.isascii() else {}
    answer = tell(provider, url, Call(body, headers or {}))

    assert answer.status_code == (status if body.isascii() else 401)
    assert answer.json().get("code") == (code if body.isascii() else "invalid_signature")


@pytest.mark.parametrize("service", ["postmark", "brevo", "sparkpost", "mailjet"])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"null", b"{}", b'"x"', b"[[]]", b"[null]", b"[" * 9_000, b"\xff", b'{"event": {}}',
             b'{"RecordType": [], "Metadata": 7}', b'[{"msys": 7}]', b'[{"event": "bounce", "time": 1e300}]'],
)  # fmt: skip
def test_proven_nonsense_of_a_service_never_breaks_anything(live, integrate, provider, service, body):
    headers = call(service, "delivered", str(uuid.uuid4())).headers

    assert tell(provider, integrate(service), Call(body, headers)).status_code in (200, 400)


def test_long_diagnosis_with_nul_is_cut_and_stored(live, integrate, provider):
    url, notification = integrate(), sent(live)
    told = {"type": "notification.bounced", "data": {"id": notification, "code": "c" * 900, "detail": "ü" * 9_000}}
    text = json.dumps(told)

    answer = tell(provider, url, Call(text.encode(), signed(text, "webhook", time.time(), SIGNING_SECRET)))

    assert answer.json()["applied"] == 1
    assert len(story(live, notification)["timeline"][-1]["detail"]) == 500


def test_body_that_is_too_large_is_a_413(live, integrate, provider):
    assert tell(provider, integrate(), Call(b"x" * 300_000)).status_code == 413


@pytest.mark.parametrize("token", ["x", "A" * 43, "é" * 43, "A" * 500])
def test_address_that_somebody_made_up_is_a_404(acme, inline, provider, token):
    assert tell(provider, f"/v1/callbacks/{token}/", Call(b"{}")).status_code == 404


def test_address_is_there_once_its_calls_can_be_proven(live, integrate, acme, provider):
    row = Integration.objects.get(channel="webhook")
    assert live.get(f"/v1/integrations/{row.id}/").json()["callback_url"] is None
    url = f"{callback_urls.PATH}{callback_urls.token_for(row.id)}/"

    assert tell(provider, url, Call(b"{}")).status_code == 401
    live.patch(f"/v1/integrations/{row.id}/", {"config": {"callback_secret": SIGNING_SECRET}})

    assert live.get(f"/v1/integrations/{row.id}/").json()["callback_url"] == url
    assert tell(provider, url, call("standard_webhooks", "delivered", str(uuid.uuid4()))).json()["unknown"] == 1


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"callbacks": "sendmail", "callback_secret": SIGNING_SECRET}, "#/config/callbacks"),
        ({"callbacks": "mailgun"}, "#/config/callback_secret"),
        ({"callbacks": "mailgun", "callback_secret": "short"}, "#/config/callback_secret"),
        ({"callbacks": "postmark", "callback_secret": "no-colon-in-it-at-all"}, "#/config/callback_secret"),
        ({"callbacks": "resend", "callback_secret": "whsec_short"}, "#/config/callback_secret"),
        ({"callback_secret": "user:password-long-enough"}, "#/config/callback_secret"),
    ],
)
def test_secret_that_could_prove_nothing_is_refused(live, config, pointer):
    answer = live.post("/v1/integrations/", {"channel": "email", "config": {"host": "mail.example.com"} | config})

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, [pointer])


def test_suppression_by_a_provider_is_in_the_audit_log(live, integrate, provider, acme):
    url, notification = integrate("postmark"), sent(live)
    tell(provider, url, call("postmark", "bounced", notification))

    entry = AuditEntry.objects.get(action="suppression.added")
    assert (entry.tenant_id, entry.actor_kind, entry.actor_label) == (acme.tenant.id, "provider", "postmark")
    assert "example.com" not in entry.summary


def test_neither_secret_nor_address_is_logged(live, integrate, provider, caplog):
    url, notification = integrate("postmark"), sent(live)
    caplog.set_level("DEBUG")
    tell(provider, url, call("postmark", "bounced", notification))
    tell(provider, url, Call(b"[]", {"authorization": "Basic bm9ib2R5Om5vcGU="}))
    tell(provider, url, Call(b"[7]", call("postmark", "bounced", notification).headers))

    secrets = ("a-long-enough-password", "bob@", "nobody:nope", url.split("/")[3].lower())
    assert not [word for word in secrets if word in caplog.text.lower()]


@needs_redis
def test_calls_beyond_the_limit_are_asked_to_come_later(live, integrate, provider, settings):
    settings.CALLBACK_RATE_LIMIT = "2/m"
    url = integrate()

    answers = [tell(provider, url, call("standard_webhooks", "delivered", str(uuid.uuid4()))) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


@needs_redis
def test_guessing_does_not_slow_down_the_provider(live, integrate, provider):
    url, notification = integrate(), sent(live)

    answers = [tell(provider, url, Call(b"{}")) for _ in range(GUESSES.quota + 1)]

    assert [answers[0].status_code, answers[-1].status_code] == [401, 429]
    assert tell(provider, url, call("standard_webhooks", "delivered", notification)).json()["applied"] == 1
