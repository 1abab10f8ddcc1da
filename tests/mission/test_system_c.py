"""System C: order and customer notifications, over HTTP. One test a row."""

import json
import subprocess
import sys
import time
import uuid
from urllib.parse import urlsplit

import yaml

from tests.deployment.proxy import proxy
from tests.flow.stack import wait_until
from tests.mission.product import DEFAULT_CHAT, ROOT

ITEMS = [{"sku": "A1", "name": "Lamp", "quantity": 2, "unit_price": "12.50"}]


def customer(api, **fields):
    user_id = f"u{uuid.uuid4().hex[:10]}"
    body = {"user_id": user_id, "name": "Ann Archer", "email": f"{user_id}@example.com"} | fields
    assert api("POST", "/api/v1/customers/", body).status == 201
    return user_id


def mails_to(product, user_id):
    return [mail for mail in product.smtp.received if f"{user_id}@example.com" in mail.rcpt_tos]


def order(api, user_id):
    body = {"customer_id": user_id, "order_number": f"A-{uuid.uuid4().hex[:6]}", "items": ITEMS, "currency": "EUR"}
    answer = api("POST", "/api/v1/orders/", body)
    assert answer.status == 201, answer.body
    return answer.body


def test_c1_telegram_and_email_deliver(product):
    """Telegram (TELEGRAM_BOT_TOKEN, default TELEGRAM_CHAT_ID) and email"""
    user_id = customer(product.live)
    body = {"event_type": "NEWS", "user_id": user_id, "channels": ["telegram", "email"], "payload": {}}

    rows = product.live.settled(product.live("POST", "/api/events/", body).body["id"], 2)

    assert {channel: row["status"] for channel, row in rows.items()} == {"telegram": "sent", "email": "sent"}
    assert str(product.telegram.received[-1].json["chat_id"]) == DEFAULT_CHAT


def test_c2_notification_api_sends_and_tells(product):
    """POST …/notifications/send/, GET …/status/{id}/, GET …/history/"""
    user_id = customer(product.live)
    plain = {"channel": "email", "to": f"{user_id}@example.com", "subject": "S", "body": "B"}
    one = product.live("POST", "/api/v1/notifications/send/", plain)
    form = {"customer_id": user_id, "channels": ["email", "in_app"], "message": "Hello"}
    both = product.live("POST", "/api/v1/notifications/send/", form)

    status = product.live("GET", f"/api/v1/notifications/status/{one.body['id']}/")
    history = product.live("GET", f"/api/v1/notifications/history/?user_id={user_id}")

    assert (one.status, both.status, status.status) == (202, 202, 200)
    assert {row["channel"] for row in history.body["data"]} == {"email", "in_app"}


def test_c3_customers_are_created_read_and_changed(product):
    """POST /api/v1/customers/, GET and PUT /api/v1/customers/{id}/"""
    user_id = customer(product.live)
    path = f"/api/v1/customers/{user_id}/"
    body = {"user_id": user_id, "name": "Ann Bow", "email": f"{user_id}@example.com", "timezone": "Europe/Warsaw"}

    changed = product.live("PUT", path, body)
    wrong = product.live("PUT", path, body | {"timezone": "Mars/Olympus"})

    assert (changed.status, product.live("GET", path).body["name"]) == (200, "Ann Bow")
    assert (wrong.status, wrong.body["errors"][0]["pointer"]) == (400, "#/timezone")


def test_c4_orders_publish_events_that_reach_their_customer(product):
    """creating an order or changing its status notifies the customer, with their own data in the text"""
    user_id = customer(product.live)
    made = order(product.live, user_id)
    path = f"/api/v1/orders/{made['id']}/"

    first = wait_until(lambda: mails_to(product, user_id), what="the first mail")[0].message
    changed = product.live("PUT", f"{path}status/", {"status": "confirmed"})
    second = wait_until(lambda: mails_to(product, user_id)[1:], what="the second mail")[0].message
    illegal = product.live("PUT", f"{path}status/", {"status": "delivered"})

    text = first.get_body(("plain",)).get_content()
    assert (made["total"], made["status"], changed.body["status"]) == ("25.00", "created", "confirmed")
    assert all(word in text for word in ("Ann Archer", made["order_number"], "Lamp", "25.00"))
    assert made["order_number"] in second.get_body(("plain",)).get_content()
    assert illegal.status == 409
    assert "shipped" in illegal.body["detail"]


def test_c5_health_and_metrics_answer(product):
    """/health/, /health/redis/, /health/celery/, /metrics/ (Prometheus)"""
    found = {path: product.anyone("GET", path) for path in ("/health/", "/health/redis/", "/health/celery/", "/livez")}
    metrics = product.anyone("GET", "/metrics/", Authorization="Bearer mission-metrics")

    assert {path: answer.status for path, answer in found.items()} == dict.fromkeys(found, 200)
    assert metrics.status == 200
    assert "# TYPE traffic_control_" in metrics.body


def test_c6_faults_are_contained(product):
    """circuit breaker round each provider, retries, deduplication, rate limiting, spikes absorbed by the queue"""
    api, _ = product.tenant()
    product.webhook.always("500")
    try:
        items = [{"channel": "webhook", "to": product.webhook.url, "body": "x"} for _ in range(30)]
        assert api("POST", "/v1/notify/batch/", {"notifications": items}).status == 202

        def open_circuits():
            return [c for c in api("GET", "/v1/circuits/").body["data"] if c["state"] == "open"]

        circuits = wait_until(open_circuits, what="an open circuit")
    finally:
        product.webhook.forget()
    body = {"channel": "email", "to": "dup@example.com", "body": "x"}
    twins = [api("POST", "/v1/notify/", body, Idempotency_Key="one-key") for _ in range(2)]

    assert circuits[0]["channel"] == "webhook"
    assert twins[0].body["id"] == twins[1].body["id"]
    assert twins[1].headers["Idempotent-Replayed"] == "true"


def test_c7_a_channel_is_one_file_and_one_line(product):
    """channel factory, delivery strategies, event-driven triggers: in the plainest Python that carries them"""
    code = "from delivery_gateway.registry import CHANNELS; print(*sorted(CHANNELS))"

    answer = product.manage("shell", "-v0", "-c", code)

    channels = answer.stdout.split()
    assert channels == ["email", "in_app", "slack", "teams", "telegram", "webhook"], answer.stderr
    files = {path.stem for path in (ROOT / "delivery_gateway" / "channels").glob("*.py")}
    assert set(channels) - {"in_app"} <= files


def test_c8_nginx_stands_in_front_of_several_processes(product, tmp_path):
    """Nginx in front, several web and worker processes (the real nginx; no engine here: the compose file is checked)"""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    body = json.dumps({"channel": "email", "to": "edge@example.com", "subject": "x", "body": "y"})
    headers = {"X-API-KEY": product.sandbox.key, "Content-Type": "application/json", "X-Request-ID": "mission-c8"}

    with proxy(tmp_path, webs=["127.0.0.1:1", urlsplit(product.url).netloc]) as edge:  # the first one has died
        taken = [edge.ask("POST", "/v1/notify/", body, headers) for _ in range(2)]
        refused = edge.ask("POST", "/v1/notify/", "x" * 300_000, headers)

    assert [(answer.status, answer.headers["X-Request-ID"]) for answer in taken] == [(202, "mission-c8")] * 2
    assert (refused.status, json.loads(refused.body)["code"]) == (413, "payload_too_large")
    assert services["nginx"]["ports"] == ["127.0.0.1:8000:8000"]
    assert services["web"]["deploy"]["replicas"] > 1


def test_c9_manage_test_runs_the_suite(product):
    """python manage.py test runs the suite too; coverage report"""
    began = time.monotonic()
    command = [sys.executable, "manage.py", "test", "tests/delivery_gateway/test_retry.py"]
    ran = subprocess.run(command, cwd=ROOT, env=product.stack.env, capture_output=True, text=True, timeout=90)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "passed" in ran.stdout
    assert time.monotonic() - began < 60
