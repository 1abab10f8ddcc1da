"""System A: decoupled event notifications, over HTTP. One test a row."""

import ast
import os
import re
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import yaml

from tests.flow.stack import answers, wait_until
from tests.mission.product import ROOT, Api, Product, manage


def customer(api: Api, product: Product, **fields):
    user_id = f"u{uuid.uuid4().hex[:10]}"
    body = {"user_id": user_id, "name": "Ann", "email": f"{user_id}@example.com"} | fields
    assert api("POST", "/api/v1/customers/", body).status == 201
    return user_id


def post_event(api: Api, user_id: str, **fields):
    answer = api("POST", "/api/events/", {"event_type": "NEWS", "user_id": user_id, "payload": {"n": 1}} | fields)
    assert answer.status == 202, answer.body
    return answer.body["id"]


def test_a1_intake_accepts_stores_and_names_what_comes_next(product):
    """POST /api/events/ validates, stores, enqueues, answers 202; intake imports no later stage's tasks"""
    wrong = product.live("POST", "/api/events/", {"event_type": "NEWS"})
    event_id = post_event(product.live, customer(product.live, product))

    assert (wrong.status, wrong.body["code"]) == (400, "validation_error")
    assert product.live("GET", f"/api/events/{event_id}/").body["payload"] == {"n": 1}
    modules = [
        name
        for path in (ROOT / "event_intake").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    ]
    assert not [name for name in modules if name.endswith(".tasks")]


def test_a2_generator_chooses_workflow_template_and_audience(product):
    """the generator turns an event into messages: which workflow, which template, which audience"""
    api, _ = product.tenant()
    template = {"name": "parcel", "channel": "email", "subject": "Parcel {{ n }}", "body": "For {{ customer.name }}"}
    api("POST", "/v1/templates/", template)
    api("POST", "/v1/workflows/", {"event_type": "PARCEL", "channels": ["email"], "template": "parcel"})
    user_id = customer(api, product)

    event_id = post_event(api, user_id, event_type="PARCEL")

    row = api.settled(event_id, 1)["email"]
    assert (row["status"], row["template"], row["subject"]) == ("sent", "parcel", "Parcel 1")


def test_a3_router_obeys_preferences_and_limits(product):
    """the router checks preferences and rate limits and dispatches; more than the limit waits, nothing is dropped"""
    user_id = customer(product.live, product)
    product.live("PUT", f"/v1/preferences/{user_id}/", {"channels": {"email": False}})
    refused = product.live.settled(post_event(product.live, user_id, channels=["email"]), 1)["email"]

    events = [
        {"event_type": "NEWS", "user_id": user_id, "channels": ["in_app"], "payload": {"n": n}} for n in range(22)
    ]
    product.live("POST", "/api/events/batch/", {"events": events})

    def statuses():
        rows = product.live("GET", f"/v1/notifications/?user_id={user_id}&channel=in_app").body["data"]
        found = [row["status"] for row in rows]
        return found if len(found) == 22 and found.count("sent") >= 20 else None

    found = wait_until(statuses, what="twenty of twenty-two")
    assert (refused["status"], refused["reason"]) == ("suppressed", "channel_choice")
    assert found.count("scheduled") + found.count("sent") == 22


def test_a4_gateway_delivers_on_email_slack_in_app_and_teams(product):
    """the delivery gateway has adapters for Email, Slack, In-App, Teams; status is kept in NotificationLog"""
    addresses = {"slack": product.slack.url, "teams": product.teams.url}
    user_id = customer(product.live, product, addresses=addresses)
    channels = ["email", "slack", "teams", "in_app"]

    rows = product.live.settled(post_event(product.live, user_id, channels=channels), 4)

    assert {channel: row["status"] for channel, row in rows.items()} == dict.fromkeys(channels, "sent")
    assert any(f"{user_id}@example.com" in mail.rcpt_tos for mail in product.smtp.received)
    assert product.slack.received
    assert product.teams.received


def test_a5_preferences_are_kept_and_asked(product):
    """per-user channel opt-ins; check_preference(user_id, channel)"""
    user_id = customer(product.live, product)
    product.live("PATCH", f"/v1/preferences/{user_id}/", {"channels": {"slack": True, "email": False}})
    code = (
        "from user_preferences.models import Customer; from user_preferences.selectors import check_preference; "
        f"c = Customer.objects.get(user_id={user_id!r}); "
        f"print([check_preference({user_id!r}, ch, tenant=c.tenant) for ch in ('slack', 'email')])"
    )

    asked = product.manage("shell", "-v0", "-c", code)

    assert product.live("GET", f"/v1/preferences/{user_id}/").body["channels"] == {"slack": True, "email": False}
    assert asked.stdout.strip() == "[True, False]", asked.stderr


def test_a6_audit_log_says_who_did_what(product):
    """audit log of what was done by whom"""
    api, _ = product.tenant()
    key = api("POST", "/v1/api-keys/", {"name": "Second", "scopes": ["read"]}).body

    entries = api("GET", "/v1/audit/").body["data"]

    assert any(key["id"] in str(entry) for entry in entries)
    assert key["api_key"] not in str(entries)


def test_a7_runs_on_sqlite_with_tasks_inline(product, tmp_path):
    """SQLite and CELERY_TASK_ALWAYS_EAGER=True: migrate, runserver, verify_flow.py"""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = ("DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "EMAIL_HOST", "EMAIL_PORT")
    env = {k: v for k, v in os.environ.items() if k not in ours}
    env |= {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "CELERY_TASK_ALWAYS_EAGER": "True", "DEBUG": "1"}
    assert manage(env, "migrate", "-v0").returncode == 0
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), what="the server")
        verified = verify_flow(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(10)
    assert verified.stdout.splitlines() == ["Found 2 notification logs:", " - email: sent", " - slack: sent"]
    assert verified.returncode == 0


def verify_flow(url: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "verify_flow.py", url, *options]
    return subprocess.run(command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, timeout=60)


def test_a8_verify_flow_tells_sent_from_broken(product):
    """verify_flow.py prints its three lines and exits 0; exits 1 on anything else"""
    good = verify_flow(product.url)
    product.smtp.always("mail:451 4.3.0 out of order")
    try:
        broken = verify_flow(product.url, "--timeout", "3")
    finally:
        product.smtp.script()

    assert good.stdout.splitlines() == ["Found 2 notification logs:", " - email: sent", " - slack: sent"], good.stderr
    assert (good.returncode, broken.returncode) == (0, 1)


def test_a9_compose_has_every_part_and_the_worker_logs_the_chain(product):
    """compose: web, worker, PostgreSQL, Redis, RabbitMQ on the fixed ports (no engine here: the file is checked)"""
    compose = yaml.safe_load(Path(ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    ports = [
        re.sub(r"\$\{[^}]*\}", "", str(port)) for service in services.values() for port in service.get("ports", [])
    ]

    assert {"web", "worker", "dispatcher", "postgres", "redis", "rabbitmq"} <= set(services)
    database = services["postgres"]["environment"]
    assert (database["POSTGRES_DB"], database["POSTGRES_USER"], database["POSTGRES_PASSWORD"]) == (
        "notification_db",
        "postgres",
        "postgres",
    )
    assert any(port.endswith("5432:5432") for port in ports)
    assert any(port.split(":")[-2] == "8000" for port in ports)
    product.live.settled(post_event(product.live, customer(product.live, product), channels=["email"]), 1)
    chain = [product.log("worker").rfind(words) for words in ("planned events", "routed events", "delivered")]
    assert -1 not in chain


def test_a10_production_is_configured_by_the_environment(product):
    """production: settings from the environment, one image with several commands, migrations as an init step"""
    settings = {"DEBUG": "0", "SECRET_KEY": "0123456789abcdef" * 4, "ALLOWED_HOSTS": "notify.example.com"}
    settings |= {"PUBLIC_URL": "https://notify.example.com", "EGRESS_ALLOW": ""}
    deploy = product.manage("check", "--deploy", "--fail-level", "WARNING", **settings)
    refused = product.manage("check", DEBUG="0", SECRET_KEY="")
    entrypoint = (ROOT / "deploy" / "entrypoint.sh").read_text()

    assert deploy.returncode == 0, deploy.stderr
    assert "SECRET_KEY is not set" in refused.stderr
    assert all(f"{command})" in entrypoint for command in ("web", "worker", "dispatcher", "migrate"))
