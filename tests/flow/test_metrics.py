"""A running stack is scraped: what it says of known traffic, of what waits, and of what is away."""

import json
import socket
import time
from contextlib import contextmanager

import pytest
from django.db import connection

from delivery_gateway.models import NotificationLog
from tests.flow.scrape import TOKEN, Scrape, ask
from tests.flow.stack import answers, stack, wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers beside the test need PostgreSQL"),
    pytest.mark.timeout(120),
]


@contextmanager
def running(folder, **settings):
    with stack(folder, METRICS_TOKEN=TOKEN, RETRY_SCHEDULE="0.2,0.2", **settings) as processes:
        yield processes, processes.web()


def notify(url, acme, **fields):
    status, text = ask(f"{url}/v1/notify/", key=acme.api_key, body={"subject": "S", "body": "B"} | fields)
    assert status == 202, text


def post_event(url, acme, **fields):
    body = {"event_type": "NEWS", "user_id": "ann-77", "payload": {}} | fields
    assert ask(f"{url}/api/events/", key=acme.api_key, body=body)[0] == 202


def test_metrics_tell_of_every_message_what_became_of_it(acme, tmp_path, smtp_peer, webhook_peer, slack_peer):
    webhook_peer.secret = acme.webhook_secret
    webhook_peer.script("500")
    slack_peer.script("404")
    with running(tmp_path, EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(smtp_peer.port)) as (processes, url):
        processes.worker()
        processes.dispatcher()
        customer = {"user_id": "ann-77", "email": "ann@example.com"}
        ask(f"{url}/api/v1/customers/", key=acme.api_key, body=customer)
        broken = {"name": "NEWS", "channel": "in_app", "body": "{{ missing }}"}
        assert ask(f"{url}/v1/templates/", key=acme.api_key, body=broken)[0] == 201

        post_event(url, acme, channels=["email", "slack"], idempotency_key="once")
        post_event(url, acme, channels=["email", "slack"], idempotency_key="once")
        post_event(url, acme, channels=["in_app"])
        notify(url, acme, channel="webhook", to=webhook_peer.url)
        notify(url, acme, channel="slack", to=slack_peer.url)
        notify(url, acme, channel="email", to="later@example.com", send_at="2099-01-01T00:00:00Z")
        wait_until(lambda: final() == ["failed", "failed", "sent", "sent", "suppressed"], what="all of them")
        found = wait_until(lambda: settled(Scrape(url)), what="the last counts")

        health = json.loads(ask(f"{url}/health/")[1])
        alone = ask(f"{url}/health/celery/")
        refused = ask(f"{url}/metrics/")[0], ask(f"{url}/metrics/", token="wrong")[0]

    assert (
        found("events_received_total", outcome="accepted"),
        found("events_received_total", outcome="duplicate"),
    ) == (2, 1)
    assert {c: found("notifications_total", channel=c, outcome="created") for c in ("email", "webhook", "slack")} == {
        "email": 1, "webhook": 1, "slack": 1,
    }  # fmt: skip
    assert found("suppressions_total", channel="slack") == 1
    assert found("template_render_errors_total", channel="in_app") == 1
    assert found("deliveries_total", channel="webhook", outcome="retry") == 1
    assert found("deliveries_total", outcome="sent") == 2
    assert found("deliveries_total", channel="slack", provider="webhook", outcome="failed") == 1
    assert found("delivery_attempts_total", channel="webhook", error_class="transient") == 1
    assert found("delivery_attempts_total", channel="slack", error_class="config") == 1
    assert found("provider_request_duration_seconds_count") == 4
    assert found("provider_request_duration_seconds_bucket", channel="email", provider="smtp", le="+Inf") == 1
    assert found("delivery_latency_seconds_count", channel="webhook") == 1
    assert 0.2 < found("delivery_latency_seconds_sum", channel="webhook") < 20
    assert found("dead_letters_opened_total") == 2
    assert (found("dead_letters", channel="slack"), found("dead_letters", channel="in_app")) == (1, 1)
    assert found("scheduled_pending", channel="email") == 1
    assert found("http_request_duration_seconds_count", route="/api/events/", method="POST", status="2xx") == 3
    assert found("queue_depth") == 0
    assert found("workers", queue="deliver.chat") == 1
    assert time.time() - found("worker_heartbeat_timestamp_seconds", queue="process") < 60
    assert time.time() - found("dispatcher_heartbeat_timestamp_seconds") < 60
    assert (found("build_info"), found("database_up"), found("counters_up")) == (1, 1, 1)
    for secret in ("ann-77", "example.com", str(acme.tenant.id), acme.tenant.name, slack_peer.url):
        assert secret not in found.text
    assert (health["status"], {check["status"] for check in health["checks"].values()}) == ("pass", {"pass"})
    assert health["checks"]["celery"]["age_s"] < 30
    assert alone[0] == 200
    assert refused == (401, 401)


def settled(found):
    return found if found("delivery_latency_seconds_count") == 2 and found("dead_letters_opened_total") == 2 else None


def final():
    rows = NotificationLog.objects.exclude(status="scheduled", to="later@example.com")
    return sorted(rows.values_list("status", flat=True))


def test_metrics_without_workers_show_what_waits_and_that_nobody_comes(acme, tmp_path):
    with running(tmp_path) as (_, url):
        for number in range(3):
            notify(url, acme, channel="email", to=f"n{number}@example.com")
        post_event(url, acme)

        found = wait_until(lambda: old_enough(Scrape(url)), what="an age")
        health, celery = ask(f"{url}/health/"), ask(f"{url}/health/celery/")
        ready = ask(f"{url}/readyz")[0]

    assert (found("queue_depth", queue="deliver.email"), found("queue_depth", queue="process")) == (3, 1)
    assert found("queue_oldest_age_seconds", queue="route") == 0
    assert (found("workers"), found("worker_heartbeat_timestamp_seconds", queue="process")) == (0, 0)
    assert (health[0], celery[0], ready) == (503, 503, 200)
    assert json.loads(health[1])["checks"]["dispatcher"] == {"status": "fail", "age_s": None}


def old_enough(found):
    return found if found("queue_oldest_age_seconds", queue="deliver.email") > 0 else None


def test_web_beside_a_silent_database_answers_within_a_second_or_so(acme, tmp_path):
    with socket.socket() as silent, stack(tmp_path, METRICS_TOKEN=TOKEN) as processes:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        processes.extra["DATABASE_URL"] = f"postgres://nobody:x@127.0.0.1:{silent.getsockname()[1]}/nothing"
        url = web_without_database(processes)

        took = {path: seconds(lambda path=path: ask(url + path)) for path in ("/readyz", "/health/", "/health/redis/")}
        found = Scrape(url)

    assert {path: answer[0] for path, (answer, _) in took.items()} == {
        "/readyz": 503, "/health/": 503, "/health/redis/": 200,
    }  # fmt: skip
    assert max(duration for _, duration in took.values()) < 2.5
    assert (found("database_up"), found("queue_depth"), found("build_info")) == (0, None, 1)


def web_without_database(processes):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws", "--blocking-threads", "4"]
    processes.start("web", "granian", *flags, "traffic_control.wsgi:application")
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/livez"), what="the web process")
    return f"http://127.0.0.1:{port}"


def seconds(call):
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_web_without_redis_is_ready_and_says_that_it_cannot_count(acme, tmp_path):
    with running(tmp_path, REDIS_URL="redis://127.0.0.1:1/0") as (_, url):
        notify(url, acme, channel="email", to="a@example.com")
        found = Scrape(url)
        health, redis, ready = ask(f"{url}/health/"), ask(f"{url}/health/redis/"), ask(f"{url}/readyz")

    checks = json.loads(health[1])["checks"]
    assert (found("counters_up"), found("http_request_duration_seconds_count")) == (0, None)
    assert found("queue_depth", queue="deliver.email") == 1
    assert (health[0], redis[0], ready[0]) == (200, 503, 200)
    assert (checks["redis"]["status"], checks["celery"]["status"], checks["dispatcher"]["status"]) == (
        "fail", "fail", "unknown",
    )  # fmt: skip
