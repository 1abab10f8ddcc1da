"""What a scraper gets: valid text, cumulative buckets, no tenant in it, and only for whoever may see it."""

import uuid
from collections import Counter

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import timezone
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from delivery_gateway import circuit_breaker
from delivery_gateway.circuit import State
from delivery_gateway.circuit_breaker import CircuitState
from monitoring.exposition import exposition
from traffic_control import metrics
from traffic_control.ids import uuid7
from traffic_control.metrics import DELIVERIES, LATENCY, Tally

NOW = timezone.now().replace(microsecond=0)


pytestmark = pytest.mark.usefixtures("meter")


def samples(text=None):
    text = text or exposition("")[0].decode()
    found = [sample for family in plain_text(text) for sample in family.samples]
    return {(s.name.removeprefix("traffic_control_"), *sorted(s.labels.items())): s.value for s in found}


# --- Counters ---
def test_histogram_is_cumulative_and_sums_seconds(db):
    tally = Tally()
    for seconds in (0.05, 0.4, 0.4, 4000.0):
        tally.observe(LATENCY, seconds, "email")
    tally.add()

    found = samples()

    email = ("channel", "email")
    buckets = [found[("delivery_latency_seconds_bucket", email, ("le", le))] for le in ("0.1", "0.5", "3600.0", "+Inf")]
    assert buckets == [1, 3, 3, 4]
    assert found[("delivery_latency_seconds_count", email)] == 4
    assert found[("delivery_latency_seconds_sum", email)] == pytest.approx(4000.85)


def test_counter_without_labels_is_zero_before_it_counts(db):
    assert samples()[("rate_limit_failed_open_total",)] == 0


def test_text_is_valid_in_both_formats(db):
    tally = Tally()
    tally.count(DELIVERIES, "email", "smtp", 'od"d\nname\\')
    tally.add()

    plain, plain_type = exposition("")
    openly, open_type = exposition("application/openmetrics-text; version=1.0.0")

    assert plain_type.startswith("text/plain; version=0.0.4")
    assert open_type.startswith("application/openmetrics-text")
    assert list(plain_text(plain.decode()))
    assert list(open_metrics(openly.decode()))
    odd = ("channel", "email"), ("outcome", 'od"d\nname\\'), ("provider", "smtp")
    assert samples(plain.decode())[("deliveries_total", *odd)] == 1


def test_counters_are_left_out_while_they_cannot_be_read(db, settings):
    metrics.count(DELIVERIES, "email", "smtp", "sent")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    found = samples()

    assert found[("counters_up",)] == 0
    assert not [name for name, *_ in found if name.endswith("_total")]


def test_counters_of_one_process_among_many_are_left_out(db, settings):
    settings.REDIS_URL, settings.CELERY_TASK_ALWAYS_EAGER = "", False

    assert samples()[("counters_up",)] == 0


def test_gauges_are_kept_for_some_seconds(acme, django_assert_num_queries):
    samples()

    with django_assert_num_queries(0):
        samples()


def test_circuits_are_told_without_their_tenants(db, monkeypatch):
    tenants = [uuid7() for _ in range(3)]
    states = (State.OPEN, State.HALF_OPEN, State.HALF_OPEN)
    providers = ("webhook", "webhook", "bot")
    circuits = [
        CircuitState(tenant, "chat", provider, state, 10, 9, NOW, NOW)
        for tenant, provider, state in zip(tenants, providers, states, strict=True)
    ]
    monkeypatch.setattr(circuit_breaker, "open_circuits", lambda: circuits)

    text = exposition("")[0].decode()

    found = samples(text)
    chat = ("channel", "chat")
    assert found[("circuit_state", chat, ("provider", "webhook"))] == 2
    assert found[("circuit_state", chat, ("provider", "bot"))] == 1
    assert found[("circuits_not_closed", chat, ("provider", "webhook"))] == 2
    assert not [tenant for tenant in tenants if str(tenant) in text]


# --- Who may see it ---
@pytest.mark.parametrize(
    ("settings_given", "request_with", "status"),
    [
        ({"DEBUG": True}, {}, 200),
        ({}, {}, 401),
        ({}, {"headers": {"Authorization": "Bearer "}}, 401),
        ({"METRICS_TOKEN": "t0ken"}, {}, 401),
        ({"METRICS_TOKEN": "t0ken"}, {"headers": {"Authorization": "Bearer t0kem"}}, 401),
        ({"METRICS_TOKEN": "t0ken"}, {"headers": {"Authorization": "Basic t0ken"}}, 401),
        ({"METRICS_TOKEN": "t0ken"}, {"headers": {"Authorization": "bearer t0ken"}}, 200),
        ({"METRICS_ALLOW": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "10.1.2.3"}, 200),
        ({"METRICS_ALLOW": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "192.0.2.1"}, 401),
        ({"METRICS_ALLOW": ["fd00::/8"]}, {"REMOTE_ADDR": "fd00::1"}, 200),
        ({"METRICS_ALLOW": ["10.0.0.0/8"]}, {"REMOTE_ADDR": ""}, 401),
        ({"METRICS_ALLOW": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "10.1.2.3", "headers": {"X-Forwarded-For": "::1"}}, 401),
    ],
)
def test_metrics_are_for_whoever_may_see_them(client, db, settings, settings_given, request_with, status):
    for name, value in ({"DEBUG": False, "METRICS_TOKEN": "", "METRICS_ALLOW": []} | settings_given).items():
        setattr(settings, name, value)

    answers = [client.get(path, **request_with) for path in ("/metrics", "/metrics/")]

    assert [answer.status_code for answer in answers] == [status, status]
    assert ("WWW-Authenticate" in answers[0]) is (status == 401)


def test_network_that_is_none_is_refused_at_the_start(settings):
    settings.METRICS_ALLOW = ["10.0.0.0/8", "10.0.0.0/33"]

    with pytest.raises(SystemCheckError, match=r"10\.0\.0\.0/33"):
        call_command("check", "--tag", "settings")


# --- Requests ---
def test_requests_count_by_the_pattern_of_their_path(client, acme, meter):
    key = {"X-API-KEY": acme.api_key}
    client.get(f"/v1/notifications/{uuid.uuid4()}/", headers=key)
    client.get("/v1/notifications/", headers=key)
    client.get("/v1/notifications", headers=key)
    client.get("/nowhere/a@example.com/")
    client.generic("BREW", "/v1/notifications/")
    client.get("/admin/login/")
    for path in ("/livez", "/readyz", "/metrics/"):
        client.get(path)

    assert requests_counted(meter) == {
        ("/v1/notifications/<uuid:notification_id>/", "GET", "4xx"): 1,
        ("/v1/notifications/", "GET", "2xx"): 2,
        ("/unknown", "GET", "4xx"): 1,
        ("/v1/notifications/", "other", "4xx"): 1,
        ("/admin/", "GET", "2xx"): 1,
    }


def requests_counted(meter):
    found: Counter[tuple[str, ...]] = Counter()
    for (name, *labels, part), number in meter.totals().items():
        if name == "http_request_duration_seconds" and part != "sum":
            found[tuple(labels)] += number
    return found
