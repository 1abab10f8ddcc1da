"""What each outcome counts for."""

from datetime import UTC, datetime, timedelta

import pytest

from delivery_gateway import measures
from delivery_gateway.contract import Ambiguous, Receipt, Transient
from delivery_gateway.leases import Outcome
from delivery_gateway.ledger import Verdict
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from traffic_control.ids import time_of, uuid7
from traffic_control.rate_limit import Pace, reserve


def row(status, **columns):
    defaults = {"id": uuid7(), "channel": "email", "lane": "email", "provider": "smtp", "status": status}
    return NotificationLog(**(defaults | columns))


def outcome(result=None, duration_ms=0):
    return Outcome(row(Status.SENDING), result, datetime.now(UTC), duration_ms=duration_ms)


def counted(meter, metric):
    """By the last label."""
    return {labels[-1]: number for (name, *labels), number in meter.totals().items() if name == metric}


@pytest.fixture(autouse=True)
def _commit(settings, monkeypatch):
    """Every transaction commits at once; there is no Redis."""
    settings.REDIS_URL = ""
    monkeypatch.setattr("traffic_control.metrics.transaction.on_commit", lambda call, robust: call())


@pytest.mark.parametrize(
    ("result", "status", "came_to", "error_class"),
    [
        (Receipt(), Status.SENT, "sent", "none"),
        (Transient(), Status.SCHEDULED, "retry", "transient"),
        (Transient(), Status.FAILED, "failed", "transient"),
        (Ambiguous(), Status.HELD, "held", "ambiguous"),
        (Ambiguous(code="lapsed"), Status.QUEUED, "requeued", "lapsed"),
        (None, Status.SCHEDULED, "deferred", None),
        (None, Status.QUEUED, "requeued", None),
        (None, Status.EXPIRED, "expired", None),
    ],
)
def test_outcome_of_a_claimed_row(meter, result, status, came_to, error_class):
    measures.finished([(outcome(result), row(status))], now=datetime.now(UTC))

    assert counted(meter, "deliveries") == {came_to: 1}
    assert counted(meter, "delivery_attempts") == ({error_class: 1} if error_class else {})
    assert counted(meter, "dead_letters_opened") == ({"email": 1} if status == Status.FAILED else {})
    has_called = result is not None and error_class != "lapsed"
    assert bool(counted(meter, "provider_request_duration_seconds")) is has_called


def test_in_app_message_has_a_latency_but_no_provider_that_answers(meter):
    sent = row(Status.SENT, channel="in_app", provider="")

    measures.finished([(outcome(Receipt()), sent)], now=datetime.fromtimestamp(time_of(sent.id) + 3, UTC))

    assert counted(meter, "provider_request_duration_seconds") == {}
    assert counted(meter, "delivery_latency_seconds") == {"5.0": 1, "sum": pytest.approx(3_000_000, abs=10)}


def test_row_counts_once_when_it_is_decided_on(meter):
    pending = row(Status.PENDING)
    now = datetime.now(UTC)
    decided = [
        row(Status.QUEUED, routed_at=now),
        row(Status.SUPPRESSED, routed_at=now, reason="channel_choice"),
        row(Status.FAILED, routed_at=now, reason="template_error"),
        row(Status.SCHEDULED, routed_at=now, due_at=now + timedelta(hours=1)),
    ]

    measures.opened([pending, row(Status.SCHEDULED, due_at=now), *decided])
    measures.settled([pending], [Verdict(pending.id, "email", Status.EXPIRED, "expired")])

    assert counted(meter, "notifications") == {
        "created": 1, "suppressed": 1, "failed": 1, "deferred": 1, "expired": 1,
    }  # fmt: skip
    assert counted(meter, "suppressions") == {"channel_choice": 1}
    assert counted(meter, "template_render_errors") == {"email": 1}


def test_limit_that_cannot_be_checked_counts_as_failed_open(meter, settings, no_redis):
    waits = reserve([("a", Pace(1)), ("b", Pace(1))])

    settings.REDIS_URL = ""
    assert (waits, meter.totals()) == ([0.0, 0.0], {("rate_limit_failed_open",): 2})
