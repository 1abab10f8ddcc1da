"""What a dry run tells is what the real run then does, in a few shops; `make model` draws 1,000."""

import os
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings

from delivery_gateway import explaining
from delivery_gateway.models import NotificationLog
from delivery_gateway.tasks import send_message
from notification_processor.tasks import process_event, route_notification
from tenants.models import Tenant
from tenants.services import register
from tests.conftest import client_with
from tests.dry_run.shops import COLLECTS, EVENTS, Shop, asked, nothing_written, shops

SHOPS = int(os.environ.get("DRY_RUN_SHOPS", "14"))
IS_DEEP = "DRY_RUN_SHOPS" in os.environ
DRAWN = hypothesis_settings(
    max_examples=SHOPS,
    deadline=None,
    derandomize=not IS_DEEP,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
ENDED = {"sent": "queued"}  # the rows have gone on by when they are compared
MET = {
    ("queued", ""), ("failed", "template_error"), ("suppressed", "no_address"), ("suppressed", "channel_choice"),
    ("suppressed", "address_suppressed"), ("suppressed", "duplicate"), ("suppressed", "quiet_hours"),
    ("scheduled", "quiet_hours"), ("scheduled", "quiet_hours_digest"),
}  # fmt: skip
Row = dict[str, Any]


def told_of(answer: Row) -> list[Row]:
    names = ("user_id", "channel", "to", "template", "template_version", "subject", "body", "html", "payload")
    return [{name: row[name] for name in (*names, "status", "due_at", "decisions")} for row in answer["notifications"]]


def done_to(row: NotificationLog) -> Row:
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
        "due_at": row.due_at,
        "decisions": [{"rule": hit.rule, "outcome": hit.outcome, "detail": hit.detail} for hit in hits],
    }


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["user_id"] or "", row["channel"]))


def worked_off(tenant: Tenant) -> dict[uuid.UUID, NotificationLog]:
    """Every stage once; what is left to delivery to decide is decided when it takes a row."""
    process_event()
    route_notification()
    rows = NotificationLog.objects.filter(tenant=tenant).in_bulk()
    lanes = {row.lane for row in rows.values() if row.status == "queued" and row.routed_at is None}
    for lane in lanes:
        send_message(lane)
    return NotificationLog.objects.filter(tenant=tenant).in_bulk() if lanes else rows


def met(api: Any, tenant: Tenant, path: str, body: Row, known: set[uuid.UUID]) -> set[tuple[str, str]]:
    """Asks, does it, and compares. Statuses and reasons of the rows that were not known before."""
    with nothing_written():
        dry = api.post(f"{path}?dry_run=true", body)
    real = api.post(path, body)
    rows = worked_off(tenant)

    assert (dry.status_code, real.status_code) in ((200, 202), (400, 400))
    if real.status_code == 400:
        assert {**dry.json(), "request_id": ""} == {**real.json(), "request_id": ""}
        return {("", real.json()["code"])}
    done = [row for key, row in rows.items() if key not in known]
    known.update(rows)
    assert in_order(told_of(dry.data)) == in_order([done_to(row) for row in done])
    return {(ENDED.get(row.status, row.status), row.reason) for row in done}


@pytest.mark.timeout(0 if IS_DEEP else 60)
def test_dry_run_equals_the_real_run(transactional_db: None) -> None:
    found: set[tuple[str, str]] = set()

    @DRAWN
    @given(shop=shops, asked=asked)
    @example(shop=COLLECTS, asked=[(EVENTS, {"event_type": "paid", "user_id": "ann", "payload": {"id": 7}})])
    def holds(shop: Shop, asked: list[tuple[str, Row]]) -> None:
        acme = register("Acme", "ops@acme.test")
        shop.open(acme.tenant)
        api = client_with(acme.test_api_key)
        known: set[uuid.UUID] = set()
        for path, body in asked:
            found.update(met(api, acme.tenant, path, body, known))

    holds()

    assert found >= MET, f"not drawn: {MET - found}"
