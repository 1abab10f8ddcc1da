"""Callbacks that nobody has proven, that say nonsense, or that come too often."""

import json
import time
import uuid

import pytest

from delivery_gateway.models import Suppression
from monitoring.models import AuditEntry
from tenants import callback_urls
from tenants.models import Integration
from tests.conftest import needs_redis
from tests.flow.callbacks.calls import SERVICES, sent, story, tell
from tests.peers.mail_services import SIGNING_SECRET, Call, call, signed
from traffic_control.guessing import GUESSES


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
