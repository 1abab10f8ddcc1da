"""What a dry run tells is what the real run then does."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from delivery_gateway import explaining
from delivery_gateway.models import NotificationLog
from delivery_gateway.tasks import send_message
from notification_processor.tasks import process_event, route_notification
from tenants.services import register
from tests.conftest import client_with
from tests.dry_run.conftest import Shop, events, nothing_written, sends, shops

EXAMPLES = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ENDED = {"sent": "queued"}  # the rows have gone on by when they are compared


def told_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    names = ("user_id", "channel", "to", "template", "template_version", "subject", "body", "html", "payload")
    return [{name: row[name] for name in (*names, "status", "decisions")} for row in answer["notifications"]]


def done_to(row: NotificationLog) -> dict[str, Any]:
    hits = explaining.hits(row)
    return {
        "user_id": row.user_id or None,
        "channel": row.channel,
        "to": row.to,
        "template": row.template_name or None,
        "template_version": row.template_version,
        "subject": row.subject,
        "body": row.body,
        "html": row.html or None,
        "payload": row.payload,
        "status": ENDED.get(row.status, row.status),
        "decisions": [{"rule": hit.rule, "outcome": hit.outcome, "detail": hit.detail} for hit in hits],
    }


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["user_id"] or "", row["channel"]))


def work_off() -> None:
    """Every stage once; what is left to delivery to decide is decided when it takes a row."""
    process_event()
    route_notification()
    for lane in {row.lane for row in NotificationLog.objects.filter(status="queued", routed_at=None)}:
        send_message(lane)


def run(path: str, shop: Shop, body: dict[str, Any]) -> None:
    acme = register("Acme", "ops@acme.test")
    shop.open(acme.tenant)
    api = client_with(acme.test_api_key)
    for _ in range(2):  # the second one may be a duplicate of the first
        before = set(NotificationLog.objects.values_list("id", flat=True))
        with nothing_written():
            dry = api.post(f"{path}?dry_run=true", body)
        real = api.post(path, body)
        work_off()

        assert (dry.status_code, real.status_code) in ((200, 202), (400, 400))
        if real.status_code == 400:
            assert {**dry.json(), "request_id": ""} == {**real.json(), "request_id": ""}
            return
        done = [done_to(row) for row in NotificationLog.objects.exclude(id__in=before)]
        assert in_order(told_of(dry.json())) == in_order(done)


@pytest.mark.timeout(240)
@EXAMPLES
@given(shop=shops, body=events)
def test_events_dry_run_equals_the_real_run(transactional_db: None, shop: Shop, body: Any) -> None:
    run("/api/events/", shop, body)


@pytest.mark.timeout(240)
@EXAMPLES
@given(shop=shops, body=sends)
def test_sends_dry_run_equals_the_real_run(transactional_db: None, shop: Shop, body: Any) -> None:
    run("/v1/notify/", shop, body)
