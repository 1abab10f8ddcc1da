"""What an operator does about dead letters: try a cause, put away, export."""

import csv
import io
import json

import pytest

from delivery_gateway import dead_letters, exporting
from delivery_gateway.models import DeadLetter, NotificationLog
from monitoring.models import AuditEntry
from tenants import keys
from tests.conftest import client_with

LETTERS = "/v1/dead-letters/"


def test_cause_is_tried_with_its_newest_letter(live, fail, webhook_peer, acme, settings):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    webhook_peer.secret = acme.webhook_secret
    fail(3, to=webhook_peer.url)

    answer = live.post(f"{LETTERS}test/", {"channel": "webhook", "code": "http_404"})

    newest = DeadLetter.objects.order_by("-id")[0]
    assert (answer.status_code, answer.json()["id"]) == (202, str(newest.id))
    assert live.get(f"{LETTERS}{newest.id}/").json()["is_resolved"] is True
    assert len(webhook_peer.received) == 1
    assert live.post(f"{LETTERS}test/", {"code": "nothing"}).json()["code"] == "nothing_to_replay"


def test_discarded_letters_wait_no_more_and_say_why(live, fail):
    letters = fail(3)
    fail(1, reason="http_500")
    chosen = {"code": "http_404", "reason": "The customer has left."}

    counted = live.post(f"{LETTERS}discard/", {**chosen, "dry_run": True}).json()
    done = live.post(f"{LETTERS}discard/", chosen).json()

    assert (counted, done) == ({"count": 3, "discarded": 0}, {"count": 3, "discarded": 3})
    shown = live.get(f"{LETTERS}{letters[0].id}/").json()
    assert shown["discard_reason"] == "The customer has left."
    assert [cause["count"] for cause in live.get(f"{LETTERS}?group_by=cause").json()["data"]] == [1]
    assert len(live.get(f"{LETTERS}?state=discarded").json()["data"]) == 3
    assert len(live.get(f"{LETTERS}?state=waiting").json()["data"]) == 1
    assert live.post(f"{LETTERS}{letters[0].id}/replay/").json()["code"] == "discarded"
    (entry,) = AuditEntry.objects.filter(action="dead_letter.discarded")
    assert entry.summary == "3 dead letters discarded: The customer has left."


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 201}, {"reason": "x", "chanel": "email"}], ids=str
)
def test_discarding_wants_a_reason(live, fail, body):
    fail(1)

    assert live.post(f"{LETTERS}discard/", body).status_code == 400
    assert DeadLetter.objects.filter(discarded_at=None).count() == 1


def test_discarded_letter_is_in_no_replay(live, fail):
    fail(2)
    dead_letters.discard(DeadLetter.objects.all(), reason="x", limit=1)

    assert live.post(f"{LETTERS}replay/", {"dry_run": True}).json()["count"] == 1
    assert live.post(f"{LETTERS}replays/", {}).json()["total"] == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_export_has_every_letter(live, fail, monkeypatch, count):
    monkeypatch.setattr(exporting, "PART", 2)
    letters = fail(count, detail='=1+1 is, "no" hook') if count else []

    table = live.get(f"{LETTERS}export/")
    lines = live.get(f"{LETTERS}export/?as=jsonl&code=http_404")

    rows = list(csv.DictReader(io.StringIO(table.getvalue().decode())))
    dicts = [json.loads(line) for line in lines.getvalue().splitlines()]
    newest_first = [str(letter.id) for letter in reversed(letters)]
    assert [row["id"] for row in rows] == [row["id"] for row in dicts] == newest_first
    assert {row["reason"] for row in rows} == {'\'=1+1 is, "no" hook'} if count else not rows
    assert table.headers["Content-Disposition"] == 'attachment; filename="dead-letters.csv"'


def test_export_masks_addresses_without_pii(live, fail, acme):
    fail(1, channel="email", to="ann@example.com")
    _, raw = keys.issue(acme.tenant, "live", name="Reader", scopes=["read"])

    text = client_with(raw).get(f"{LETTERS}export/").getvalue().decode()

    assert "a•••@example.com" in text
    assert "ann@example.com" not in text
    assert "ann@example.com" in live.get(f"{LETTERS}export/").getvalue().decode()


@pytest.mark.parametrize("query", ["as=xml", "state=lost", "cod=x", "replay_id=x"])
def test_faulty_filter_is_refused(live, query):
    assert live.get(f"{LETTERS}export/?{query}").status_code == 400


def test_replayed_letter_cannot_be_discarded(acme, fail, at_rest):
    letters = fail(1)
    dead_letters.replay(DeadLetter.objects.all())

    assert dead_letters.discard(DeadLetter.objects.all(), reason="x") == 0
    assert NotificationLog.objects.get(id=letters[0].notification_id).reason == "replayed"
