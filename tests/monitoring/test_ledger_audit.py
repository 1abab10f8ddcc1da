"""Each thing that can be wrong is planted; the audit names it and nothing else."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from delivery_gateway.models import InboxItem, NotificationLog
from monitoring.ledger_audit import events, facts
from notification_processor.models import Event
from tests.monitoring.ledger_world import attempts, letter, message, sent, stranger
from traffic_control.ids import uuid7_at
from user_preferences.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(tmp_path):
    """Writes a file of JSON lines; its path."""

    def write(name, *rows):
        path = tmp_path / name
        path.write_text("".join(json.dumps({k: str(v) for k, v in row.items()}) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def unchecked():
    """The database lets anything in until the test ends."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            yield
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
        return
    with connection.cursor() as cursor:
        for constraint in NotificationLog._meta.constraints:
            cursor.execute(f"ALTER TABLE {NotificationLog._meta.db_table} DROP CONSTRAINT IF EXISTS {constraint.name}")
    yield


def audited(*arguments):
    """(exit code, the report as JSON)"""
    out = StringIO()
    try:
        call_command("audit_ledger", "--json", *map(str, arguments), stdout=out)
    except SystemExit as ended:
        return ended.code, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def kinds(*arguments):
    return audited(*arguments)[1]["findings"]


def test_honest_ledger_keeps_every_promise(acme, lines):
    rows = [sent(acme.tenant), sent(acme.tenant, "lapsed"), sent(acme.tenant, "transient", "throttled")]
    failed = message(acme.tenant, "failed", attempts=1)
    attempts(failed, "recipient")
    letter(failed)
    told = lines("told", *({"id": row.id, "tenant": acme.tenant.id} for row in [*rows, failed]))
    mails = [{"id": f"<{row.id}@acme.test>", "channel": "email"} for row in [*rows, rows[1]]]

    code, report = audited("--accepted", told, "--received", lines("received", *mails), "--settled")

    assert (code, report["clean"], report["findings"]) == (0, True, {})
    assert report["looked_at"] == {"told": 4, "rows": 4, "events": 0, "received": 4}
    assert report["extra_sends"] == {"lapsed": 1}


def test_told_but_not_stored_is_lost(acme, lines):
    told = lines("told", {"id": stranger()}, {"id": sent(acme.tenant).id})

    code, report = audited("--accepted", told)

    assert (code, report["findings"]) == (1, {"lost": 1})


def test_told_event_counts_as_stored(acme, lines):
    now = timezone.now()
    event = Event.objects.create(tenant=acme.tenant, event_type="A", occurred_at=now, due_at=now, received_at=now)

    assert kinds("--accepted", lines("told", {"id": event.id})) == {}
    assert kinds("--settled") == {"unfinished": 1}


def test_key_with_two_answers_is_told(acme, lines):
    told = lines("told", *({"id": sent(acme.tenant).id, "key": "k1", "tenant": acme.tenant.id} for _ in range(2)))

    assert kinds("--accepted", told) == {"key_answered_twice": 1}


def test_same_answer_to_one_key_twice_is_right(acme, lines):
    once = {"id": sent(acme.tenant).id, "key": "k1"}

    assert kinds("--accepted", lines("told", once, once)) == {}


def test_row_of_another_tenant_than_was_told_is_found(acme, globex, lines):
    told = lines("told", {"id": sent(acme.tenant).id, "tenant": globex.tenant.id})

    assert kinds("--accepted", told) == {"told_to_another_tenant": 1}


@pytest.mark.parametrize("topic", ["all", ""])
def test_recipient_without_row_is_found(acme, topic):
    now = timezone.now()
    people = [Customer.objects.create(tenant=acme.tenant, user_id=f"u{i}") for i in range(3)]
    event = Event.objects.create(
        tenant=acme.tenant, event_type="NEWS", topic=topic, recipients=[] if topic else [p.user_id for p in people],
        state="completed", plan={"channels": ["email"]}, occurred_at=now, due_at=now,
        received_at=now + timedelta(seconds=1),
    )  # fmt: skip
    for person in people[:2]:
        sent(acme.tenant, event_id=event.id, customer_id=person.id, user_id=person.user_id)

    _, report = audited()

    assert report["findings"] == {"recipient_without_row": 1}
    assert "u2" in report["examples"][0]["detail"]


@pytest.mark.parametrize(
    ("status", "changed", "expected"),
    [
        ("lost in thought", {}, {"illegal_status": 1}),
        ("sending", {"lease_until": None}, {"sending_without_lease": 1}),
        ("queued", {"lease_until": timezone.now()}, {"lease_without_sending": 1}),
        ("scheduled", {"due_at": None}, {"scheduled_without_time": 1}),
        ("held", {}, {"held_without_reason": 1}),
        ("sending", {"lease_until": timezone.now() - timedelta(minutes=3)}, {"overdue": 1}),
        ("scheduled", {"due_at": timezone.now() - timedelta(minutes=3)}, {"overdue": 1}),
    ],
)
def test_state_that_cannot_be_is_found(acme, unchecked, status, changed, expected):
    status = status[:10]
    message(acme.tenant, status, **changed)

    assert kinds() == expected


@pytest.mark.parametrize("status", ["pending", "queued", "sending", "scheduled"])
def test_row_that_has_not_ended_is_a_finding_when_all_is_settled(acme, status):
    message(acme.tenant, status)

    assert kinds() == {}
    assert kinds("--settled") == {"unfinished": 1}


def test_sent_but_never_received_is_found(acme, lines):
    sent(acme.tenant)
    other = sent(acme.tenant)

    assert kinds("--received", lines("received", {"id": other.id, "channel": "email"})) == {"sent_but_not_received": 1}


def test_channel_without_receipts_is_not_judged(acme, lines):
    sent(acme.tenant)
    hook = sent(acme.tenant, channel="webhook", lane="webhook")

    assert kinds("--received", lines("received", {"id": hook.id, "channel": "webhook"})) == {}


def test_in_app_message_without_inbox_item_is_found(acme):
    there, _ = [sent(acme.tenant, channel="in_app", lane="in_app") for _ in range(2)]
    InboxItem.objects.create(id=there.id, tenant=acme.tenant, customer_id=stranger(), created_at=timezone.now())

    assert kinds() == {"sent_but_not_received": 1}


def test_received_while_its_record_says_no_is_found(acme, lines):
    rows = [
        message(acme.tenant, "cancelled"),
        message(acme.tenant, "sending"),
        message(acme.tenant, "queued", ambiguous=1),
    ]
    attempts(rows[2], "lapsed")

    received = lines("received", *({"id": row.id, "channel": "email"} for row in rows))

    assert kinds("--received", received) == {"received_but_not_sent": 1}


def test_received_by_nobody_we_know_is_found(acme, lines):
    received = lines(
        "received", {"id": stranger(), "channel": "email"}, {"id": sent(acme.tenant).id, "channel": "email"}
    )

    assert kinds("--received", received) == {"received_without_row": 1}


def test_refused_is_not_received(acme, tmp_path):
    row, path = sent(acme.tenant, "transient"), tmp_path / "received"
    line = {"id": str(row.id), "channel": "email"}
    path.write_text("".join(json.dumps(line | {"taken": taken}) + "\n" for taken in (False, True)))

    assert audited("--received", path)[1]["looked_at"]["received"] == 1


def test_received_twice_without_doubt_on_record_is_found(acme, lines):
    row = sent(acme.tenant)

    assert kinds("--received", lines("received", *[{"id": row.id, "channel": "email"}] * 2)) == {"doubled": 1}


def test_received_more_often_than_in_doubt_is_found(acme, lines):
    row = sent(acme.tenant, "lapsed")

    assert kinds("--received", lines("received", *[{"id": row.id, "channel": "email"}] * 3)) == {"doubled": 1}


def test_doubt_without_record_is_found(acme):
    sent(acme.tenant, ambiguous=1)

    assert kinds() == {"doubt_without_record": 1}


def test_failed_without_letter_is_found(acme):
    letter(message(acme.tenant, "failed"))
    message(acme.tenant, "failed")
    letter(message(acme.tenant, "failed"), replayed_at=timezone.now())

    assert kinds() == {"failed_without_letter": 2}


def test_open_letter_of_what_did_not_fail_is_found(acme):
    letter(sent(acme.tenant))
    letter(sent(acme.tenant), replayed_at=timezone.now())

    assert kinds() == {"letter_without_failure": 1}


def test_digest_that_is_not_there_or_is_of_another_tenant_is_found(acme, globex):
    theirs = sent(globex.tenant).id
    for went_to in (sent(acme.tenant).id, theirs, stranger()):
        message(acme.tenant, "suppressed", reason="digested", provider_message_id=str(went_to))

    assert kinds() == {"digest_is_missing": 1, "row_of_another_tenant": 1}


def test_letter_of_nothing_is_found(acme):
    row = message(acme.tenant, "failed")
    letter(row)
    NotificationLog.objects.filter(id=row.id)._raw_delete(using="default")

    assert kinds() == {"letter_without_row": 1}


def test_what_belongs_to_another_tenant_is_found(acme, globex, lines):
    foreign = Customer.objects.create(tenant=globex.tenant, user_id="u1")
    sent(acme.tenant, customer_id=foreign.id)
    letter(message(acme.tenant, "failed"), tenant_id=globex.tenant.id)
    row = sent(acme.tenant)
    received = lines("received", {"id": row.id, "channel": "webhook", "tenant": globex.tenant.id})

    found = kinds("--received", received)

    assert found == {"row_of_another_tenant": 2, "received_by_another_tenant": 1}


@pytest.mark.parametrize(
    ("outcomes", "changed", "expected"),
    [
        (["transient"] * 8, {}, {"too_many_attempts": 1}),
        ([], {"attempts": 2}, {"attempts_without_record": 1}),
        (["sent"], {}, {"success_overwritten": 1}),
    ],
)
def test_attempts_that_do_not_add_up_are_found(acme, outcomes, changed, expected):
    sent(acme.tenant, *outcomes, **changed)

    assert kinds() == expected


def test_sent_without_attempt_is_found(acme):
    message(acme.tenant, "sent", attempts=0)

    assert kinds() == {"sent_without_attempt": 1}


def test_success_that_a_later_holder_overwrote_is_found(acme):
    attempts(message(acme.tenant, "queued"), "sent")

    assert kinds() == {"success_overwritten": 1}


def test_replayed_row_may_have_more_attempts_on_record_than_counted(acme):
    row = message(acme.tenant, "sent", attempts=1)
    attempts(row, *["transient"] * 8, "sent")
    letter(row, replayed_at=timezone.now())

    assert kinds() == {}


def test_nothing_changes_with_the_size_of_a_batch(acme, lines, monkeypatch):
    monkeypatch.setattr(facts, "BATCH", 2)
    monkeypatch.setattr(events, "BATCH", 2)
    monkeypatch.setattr("monitoring.ledger_audit.evidence.CHUNK", 2)
    rows = [sent(acme.tenant) for _ in range(5)]
    told = lines("told", *({"id": one} for one in [*(row.id for row in rows), *(stranger() for _ in range(5))]))
    received = lines("received", *({"id": row.id, "channel": "email"} for row in rows[:4]))

    _, report = audited("--accepted", told, "--received", received)

    assert report["findings"] == {"lost": 5, "sent_but_not_received": 1}
    assert report["looked_at"]["rows"] == 5


def test_what_was_before_is_left_out(acme, lines):
    before = timezone.now() - timedelta(hours=1)
    message(acme.tenant, "failed", id=uuid7_at(before - timedelta(seconds=1)))
    told = lines("told", {"id": uuid7_at(before - timedelta(minutes=1))})

    assert kinds("--since", before.isoformat(), "--accepted", told) == {}


def test_table_names_promise_and_example(acme):
    row, out = message(acme.tenant, "failed"), StringIO()

    with pytest.raises(SystemExit):
        call_command("audit_ledger", stdout=out)

    assert "I5  1 broken" in out.getvalue()
    assert f"failed without letter: 1\n  {row.id}" in out.getvalue()


def test_file_that_is_no_record_is_refused_with_its_line(acme, tmp_path):
    path = tmp_path / "told"
    path.write_text('{"id": "nonsense"}\n')

    with pytest.raises(CommandError, match="line 1") as refusal:
        call_command("audit_ledger", "--accepted", str(path))

    assert refusal.value.returncode == 2


def test_line_cut_off_at_the_end_is_forgiven(acme, tmp_path):
    path = tmp_path / "told"
    path.write_text(f'{{"id": "{sent(acme.tenant).id}"}}\n{{"id": "0199')

    assert kinds("--accepted", path) == {}
