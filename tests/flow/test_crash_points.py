"""A process dies at each place that has a name; then every promise of the ledger holds, and the work is done."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from delivery_gateway import ledger
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.retry import MAX_CRASHES
from delivery_gateway.states import Status
from monitoring.ledger_audit.audit import audit
from monitoring.ledger_audit.evidence import gathered
from notification_processor.models import Event
from tests.flow.crashing import STEPS
from tests.flow.stack import ROOT, Stack
from traffic_control.crash_points import KILLED, Point
from user_preferences.models import Customer

CASES = {  # the step in which it happens
    Point.EVENT_READ: "event",
    Point.EVENT_STORED: "event",
    Point.BATCH_STORED: "batch",
    Point.SEND_READ: "send",
    Point.SEND_STORED: "send",
    Point.FLAG_SET: "wake",
    Point.TASK_TAKEN: "process",
    Point.EVENTS_PLANNED: "process",
    Point.ROWS_OPENED: "process",
    Point.CURSOR_MOVED: "process",
    Point.SLICE_ROUTED: "process",
    Point.SENDS_ROUTED: "route",
    Point.DIGESTS_OPENED: "route",
    Point.HELD_RELEASED: "route",
    Point.ROWS_CLAIMED: "deliver",
    Point.ROWS_HELD: "deliver",
    Point.SUSPECT_SET_APART: "deliver",
    Point.SEND_BEGUN: "deliver",
    Point.PROVIDER_ANSWERED: "deliver",
    Point.SEND_LANDED: "deliver",
    Point.OUTCOMES_WRITTEN: "deliver",
    Point.OUTCOMES_RECORDED: "deliver",
    Point.DUE_PROMOTED: "tick",
    Point.DUE_DONE: "tick",
    Point.JOURNAL_SETTLED: "tick",
    Point.LEASES_RELEASED: "tick",
    Point.LATE_EXPIRED: "tick",
    Point.SLICE_REPLAYED: "job",
    Point.LETTERS_REPLAYED: "replay",
    Point.REPLAY_DONE: "replay",
}
IN_DOUBT = {Point.SEND_BEGUN, Point.PROVIDER_ANSWERED}  # nobody can tell whether it has left
OTHERS_FLY = {Point.SEND_LANDED, Point.OUTCOMES_WRITTEN, Point.OUTCOMES_RECORDED}  # and are in doubt, if they do
HELD = 6  # by quiet hours, for one digest
FOUND_LAPSED = 1  # of the rows there are from the start

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="processes beside the test need PostgreSQL")


@pytest.fixture
def rows(acme, webhook_peer):
    """One row for each thing that the dispatcher, a worker and an operator can find."""
    webhook_peer.secret = acme.webhook_secret
    ann = Customer.objects.create(tenant=acme.tenant, user_id="ann", email="ann@example.com")
    now = timezone.now()
    past = now - timedelta(minutes=1)
    common = {
        "tenant": acme.tenant, "channel": "webhook", "lane": "webhook", "to": webhook_peer.url, "body": "x",
        "created_at": now, "routed_at": past,
    }  # fmt: skip
    for found in (
        {"status": "scheduled", "due_at": past},
        {"status": "sending", "fence": 1, "lease_until": past},
        {"status": "queued", "expires_at": past},
        {"status": "queued", "crashes": MAX_CRASHES - 1},
    ):
        NotificationLog.objects.create(**common | found)
    quiet = {"status": "scheduled", "reason": "quiet_hours", "due_at": past, "user_id": "ann", "customer_id": ann.id}
    for _ in range(HELD):
        NotificationLog.objects.create(**common | quiet | {"routed_at": None})
    failed = {"status": Status.FAILED, "reason": "template_error", "channel": "webhook", "to": webhook_peer.url}
    new = [NewNotification(tenant_id=acme.tenant.id, created_at=now, body="x", **failed) for _ in range(2)]
    ledger.open_rows([new[0], replace(new[1], reason="for_the_job")])


@pytest.fixture
def process(acme, webhook_peer, tmp_path):
    """Starts one that takes steps, and gives its exit code."""
    env = Stack(tmp_path, {"EGRESS_ALLOW_HTTP": "1"}).env
    command = [sys.executable, "-m", "tests.flow.crashing", str(tmp_path), acme.api_key, webhook_peer.url]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as nursery,
    ):

        def start(*steps: str, point: str = "") -> int:
            assert nursery.stdin is not None
            assert nursery.stdout is not None
            nursery.stdin.write(json.dumps({"steps": steps, "point": point}) + "\n")
            nursery.stdin.flush()
            return int(nursery.stdout.readline())

        yield start


def through(step):
    return STEPS[: STEPS.index(step) + 1]


def findings(folder, peer):
    received = folder / "received"
    lines = [{"id": request.headers["webhook-id"], "channel": "webhook"} for request in peer.received]
    received.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with gathered(folder / "told", received) as evidence:
        report = audit(evidence, since=None, is_settled=True, patience=timedelta(seconds=60))
    return dict(report.findings)


def test_each_point_has_its_case():
    assert set(CASES) == set(Point)


@pytest.mark.parametrize("point", Point)
def test_nothing_is_lost_or_doubled_when_a_process_dies(point, rows, process, webhook_peer, tmp_path):
    step = CASES[point]
    if point == Point.JOURNAL_SETTLED:
        assert process("deliver", point=Point.ROWS_HELD) == KILLED

    assert process(*through(step), point=point) == KILLED, (tmp_path / "log").read_text()

    again = STEPS[STEPS.index(step) :]  # clients try again, and so does the operator
    assert process(*again, "settle") == 0, (tmp_path / "log").read_text()
    assert findings(tmp_path, webhook_peer) == {}
    statuses = Counter(NotificationLog.objects.values_list("status", flat=True))
    assert statuses == {"sent": 11, "expired": 1, "suppressed": HELD}
    digested = NotificationLog.objects.filter(reason="digested").values_list("provider_message_id", flat=True)
    assert set(digested) == {str(row.id) for row in NotificationLog.objects.filter(event_type="quiet_hours_digest")}
    assert set(Event.objects.values_list("state", flat=True)) == {"completed"}
    assert Event.objects.count() == 3
    assert DeadLetter.objects.filter(replayed_at__isnull=False).count() == 2
    in_doubt = sum(NotificationLog.objects.values_list("ambiguous", flat=True)) - FOUND_LAPSED
    assert in_doubt > 0 if point in IN_DOUBT else in_doubt == 0 or point in OTHERS_FLY
    repeats = len(webhook_peer.received) - len({request.headers["webhook-id"] for request in webhook_peer.received})
    assert repeats <= in_doubt
