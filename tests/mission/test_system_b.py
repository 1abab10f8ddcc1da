"""System B: the smart notification service, over HTTP. One test a row."""

import re
import uuid

from tests.flow.stack import wait_until
from tests.mission.product import Api

WELCOME = {"name": "welcome_email", "channel": "email", "subject": "Hi {{ name }}", "body": "Welcome, {{ name }}."}


def someone():
    return f"{uuid.uuid4().hex[:10]}@example.com"


def mails_to(product, address):
    return [mail for mail in product.smtp.received if address in mail.rcpt_tos]


def test_b1_registration_creates_tenant_and_keys(product):
    """POST /v1/tenants/register/ creates the tenant and its keys; raw keys are shown once, only a hash is stored"""
    answer = product.anyone("POST", "/v1/tenants/register/", {"name": "Shop", "email": "ops@shop.example"})
    live = answer.body["api_key"]
    secret = live.split("_", 3)[3]

    listed = Api(product.url, live)("GET", "/v1/api-keys/").body
    dump = product.manage("dumpdata", "tenants")

    assert (answer.status, live[:8], answer.body["test_api_key"][:8]) == (201, "sk_live_", "sk_test_")
    assert secret not in str(listed)
    assert dump.returncode == 0
    assert secret not in dump.stdout


def test_b2_keys_authenticate_and_isolate(product):
    """X-API-KEY and Authorization: Bearer; 401 and 403 JSON; last_used_at; tenant isolation"""
    other, _ = product.tenant()
    row = product.live("POST", "/v1/notify/", {"channel": "email", "to": someone(), "body": "x"}).body
    reader = product.live("POST", "/v1/api-keys/", {"name": "Reader", "scopes": ["read"]}).body

    bearer = product.anyone("GET", "/v1/tenants/me/", Authorization=f"Bearer {product.live.key}")
    none = product.anyone("GET", "/v1/tenants/me/")
    forbidden = Api(product.url, reader["api_key"])("POST", "/v1/notify/", {})
    foreign = other("GET", f"/v1/notifications/{row['id']}/")
    keys = product.live("GET", "/v1/api-keys/").body["data"]

    assert [a.status for a in (bearer, none, forbidden, foreign)] == [200, 401, 403, 404]
    assert [a.body["code"] for a in (none, forbidden, foreign)] == ["not_authenticated", "missing_scope", "not_found"]
    assert any(key["last_used_at"] for key in keys)


def test_b3_templates_are_written_read_changed_and_deleted(product):
    """per-tenant named Jinja2 templates: create, list, get, update, delete"""
    api, _ = product.tenant()
    made = api("POST", "/v1/templates/", WELCOME)
    path = f"/v1/templates/{made.body['id']}/"

    changed = api("PATCH", path, {"subject": "Hello {{ name }}"})
    preview = api("POST", f"{path}preview/", {"data": {"name": "Ann"}})
    broken = api("POST", "/v1/templates/", WELCOME | {"name": "broken", "body": "a\n{{ x"})
    listed = api("GET", "/v1/templates/?name=welcome_email").body["data"]
    deleted = api("DELETE", path)

    assert (made.status, made.body["version"], changed.body["version"]) == (201, 1, 2)
    assert preview.body["rendered"]["subject"] == "Hello Ann"
    assert (broken.status, broken.body["errors"][0]["line"]) == (400, 2)
    assert [t["id"] for t in listed] == [made.body["id"]]
    assert (deleted.status, api("GET", path).status) == (204, 404)


def test_b4_notify_accepts_a_template_or_inline_words(product):
    """POST /v1/notify/ from a template or inline: 202 with id, status, channel, to, created_at"""
    api, _ = product.tenant()
    api("POST", "/v1/templates/", WELCOME)
    to = someone()

    named = api(
        "POST", "/v1/notify/", {"channel": "email", "to": to, "template": "welcome_email", "data": {"name": "Ann"}}
    )
    inline = api("POST", "/v1/notify/", {"channel": "email", "to": to, "subject": "S", "body": "B"})

    for answer in (named, inline):
        assert (answer.status, answer.body["status"], answer.body["channel"]) == (202, "pending", "email")
        assert {"id", "to", "created_at"} <= answer.body.keys()
        assert api.settled_one(answer.body["id"])["status"] == "sent"
    assert sorted(mail.message["Subject"] for mail in mails_to(product, to)) == ["Hi Ann", "S"]


def test_b5_delivery_stores_the_outcome(product):
    """delivery renders, picks the provider by channel, sends once, stores sent_at and provider_response"""
    to = someone()
    sent = product.live("POST", "/v1/notify/", {"channel": "email", "to": to, "subject": "S", "body": "B"}).body

    row = product.live.settled_one(sent["id"])

    assert (row["status"], row["attempts"], row["provider"]) == ("sent", 1, "smtp")
    assert row["sent_at"]
    assert len(mails_to(product, to)) == 1


def test_b6_retries_back_off_and_end_in_a_dead_letter(product):
    """retries with backoff and jitter, capped; then a DeadLetter with reason and retry_count, and status failed"""
    product.slack.always("500")
    try:
        sent = product.live("POST", "/v1/notify/", {"channel": "slack", "to": product.slack.url, "body": "B"}).body
        row = product.live.settled_one(sent["id"])
    finally:
        product.slack.forget()
    letters = product.live("GET", "/v1/dead-letters/?channel=slack").body["data"]
    (letter,) = [one for one in letters if one["notification"]["id"] == sent["id"]]

    assert (row["status"], row["attempts"], letter["retry_count"]) == ("failed", 3, 2)
    assert letter["reason"]
    assert product.live("POST", f"/v1/dead-letters/{letter['id']}/replay/").status == 202
    assert product.live.settled_one(sent["id"])["status"] == "sent"


def test_b7_email_goes_through_the_configured_server_and_logs_no_address(product):
    """email through Django's backends and EMAIL_* settings; no bodies or addresses in logs"""
    to, body = someone(), f"canary-{uuid.uuid4().hex}"
    sent = product.live("POST", "/v1/notify/", {"channel": "email", "to": to, "subject": "S", "body": body}).body
    product.live.settled_one(sent["id"])

    (mail,) = mails_to(product, to)
    logs = "".join(product.log(name) for name in ("web", "worker", "dispatcher"))

    assert mail.message["Message-ID"].startswith(f"<{sent['id']}@")
    assert not re.search(f"{to}|{body}", logs)


def test_b8_notifications_are_listed_and_shown(product):
    """GET /v1/notifications/ and /v1/notifications/{uuid}/: the tenant's notifications and one's status"""
    api, _ = product.tenant()
    ids = [api("POST", "/v1/notify/", {"channel": "email", "to": someone(), "body": "x"}).body["id"] for _ in range(3)]

    first = api("GET", "/v1/notifications/?limit=2").body
    second = api("GET", f"/v1/notifications/?limit=2&cursor={first['next_cursor']}").body

    assert [row["id"] for row in first["data"] + second["data"]] == ids[::-1]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert api("GET", f"/v1/notifications/{ids[0]}/").body["timeline"]


def test_b9_dead_letters_are_listed(product):
    """GET /v1/dead-letters/: what failed for good, also counted by cause"""
    api, _ = product.tenant()
    product.slack.script("404")
    sent = api("POST", "/v1/notify/", {"channel": "slack", "to": product.slack.url, "body": "B"}).body
    api.settled_one(sent["id"])

    letters = wait_until(lambda: api("GET", "/v1/dead-letters/").body["data"], what="a dead letter")
    causes = api("GET", "/v1/dead-letters/?group_by=cause").body["data"]

    assert [letter["notification"]["id"] for letter in letters] == [sent["id"]]
    assert [(cause["channel"], cause["count"]) for cause in causes] == [("slack", 1)]


def test_b10_providers_share_one_interface(product):
    """providers behind one interface: send(to, subject, body, channel) gives a result object"""
    code = (
        "from delivery_gateway.registry import Sender, get_provider; "
        f"good = Sender().send(to='{product.slack.url}', subject='S', body='B', channel='slack'); "
        "bad = Sender().send(to='http://10.0.0.1/x', subject='S', body='B', channel='slack'); "
        "print(good.ok, bad.ok, bad.error_class, get_provider('email') is not None)"
    )

    answer = product.manage("shell", "-v0", "-c", code)

    assert answer.stdout.split() == ["True", "False", "config", "True"], answer.stderr
