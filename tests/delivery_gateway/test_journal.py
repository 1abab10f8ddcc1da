"""What a process writes down of what it holds, and what is made of it once the process is dead."""

import os
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway import aftermath, journal, leases
from delivery_gateway.contract import Receipt, Throttled, Transient
from delivery_gateway.journal import Journal
from delivery_gateway.leases import LEASE, Outcome
from delivery_gateway.models import Attempt, NotificationLog


@pytest.fixture
def folder(tmp_path, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    settings.JOURNAL_DIR = str(tmp_path / "journal")
    return journal.private(tmp_path / "journal")


@pytest.fixture
def queued(acme):
    def make(count, channel="webhook", lane="webhook"):
        now = timezone.now()
        common = {"tenant": acme.tenant, "channel": channel, "lane": lane, "to": "https://example.com/in"}
        NotificationLog.objects.bulk_create(
            NotificationLog(**common, status="queued", created_at=now, routed_at=now) for _ in range(count)
        )

    return make


@pytest.fixture
def claimed(queued, folder):
    """A journal, and so many rows that its process holds."""

    def make(count, lane="webhook", channel="webhook"):
        queued(count, channel, lane)
        kept, now = Journal(folder), timezone.now()
        holds = kept.claiming(lane, now + LEASE)
        rows = leases.claim(lane, limit=count, now=now)
        holds(rows)
        return kept, rows

    return make


def receipt(row, **said):
    return Outcome(row, Receipt(**said), timezone.now(), duration_ms=7, provider="standard_webhooks")


def files(folder):
    return list(folder.iterdir())


def states():
    return sorted(NotificationLog.objects.values_list("status", "attempts", "ambiguous", "crashes"))


def test_rows_of_a_dead_process_come_to_what_its_journal_tells(claimed, folder):
    kept, (sent, refused, flying, waiting) = claimed(4)
    for row in (sent, refused, flying):
        kept.started(row)
    kept.finished(receipt(sent, provider_id="p1", detail='it said "yes"\n\ud800', http_status=200))
    kept.finished(Outcome(refused, Transient("down", code="http_500", http_status=500), timezone.now()))
    del kept

    assert aftermath.settle() == 4

    ids = {sent.id: "sent", refused.id: "scheduled", flying.id: "queued", waiting.id: "queued"}
    assert dict(NotificationLog.objects.values_list("id", "status")) == ids
    assert states() == [("queued", 0, 0, 0), ("queued", 0, 1, 1), ("scheduled", 1, 0, 0), ("sent", 1, 0, 0)]
    stored = NotificationLog.objects.get(id=sent.id)
    assert (stored.provider_message_id, stored.provider_response) == ("p1", 'it said "yes"\n?')
    assert sorted(Attempt.objects.values_list("outcome", "http_status")) == [
        ("lapsed", None),
        ("sent", 200),
        ("transient", 500),
    ]
    assert files(folder) == []


def test_rows_of_a_living_process_are_left_alone(claimed, folder):
    kept, _ = claimed(2)

    assert aftermath.settle() == 0

    assert states() == [("sending", 0, 0, 0)] * 2
    assert len(files(folder)) == 1
    del kept


def test_claim_that_nobody_lived_to_see_is_given_back(queued, folder):
    queued(3)
    kept, now = Journal(folder), timezone.now()
    kept.claiming("webhook", now + LEASE)
    leases.claim("webhook", limit=3, now=now)
    leases.claim("email", limit=3, now=now)
    del kept

    assert aftermath.settle() == 3

    assert states() == [("queued", 0, 0, 0)] * 3


def test_claim_that_is_committed_after_its_process_has_died_is_given_back(queued, folder):
    queued(3)
    kept, now = Journal(folder), timezone.now()
    kept.claiming("webhook", now + LEASE)
    del kept
    assert aftermath.settle() == 0

    leases.claim("webhook", limit=3, now=now)

    assert aftermath.settle() == 3
    assert states() == [("queued", 0, 0, 0)] * 3


def test_claim_of_nothing_does_not_spoil_what_else_is_told(claimed, folder):
    kept, _ = claimed(2)
    kept.claiming("webhook", timezone.now() + LEASE)([])
    del kept

    assert aftermath.settle() == 2

    assert states() == [("queued", 0, 0, 0)] * 2


def test_row_that_was_claimed_again_is_left_to_its_holder(claimed):
    kept, rows = claimed(2)
    kept.finished(receipt(rows[0]))
    del kept
    leases.release_lapsed(now=timezone.now() + LEASE * 2, limit=10)
    leases.claim("webhook", limit=2, now=timezone.now())

    assert aftermath.settle() == 0

    assert states() == [("sending", 0, 1, 1)] * 2


def test_row_that_crashed_twice_stays_suspect_when_it_is_given_back_unsent(claimed):
    kept, _ = claimed(1)
    NotificationLog.objects.update(crashes=2)
    del kept

    aftermath.settle()

    assert states() == [("queued", 0, 0, 2)]


def test_half_a_line_at_the_end_has_not_happened(claimed, folder):
    kept, (row,) = claimed(1)
    kept.started(row)
    del kept
    (path,) = files(folder)
    with path.open("a") as opened:
        opened.write(f'f {row.id.hex}.{row.fence} ["", "o')

    aftermath.settle()

    assert states() == [("queued", 0, 1, 1)]


@pytest.mark.parametrize("line", ["s 12s 34", "x", "f 1.2 [", "h 1 abc", "c 1 email", ""])
def test_journal_with_a_line_that_cannot_be_tells_nothing(claimed, folder, line):
    kept, _ = claimed(1)
    del kept
    (path,) = files(folder)
    with path.open("a") as opened:
        opened.write(line + "\n")

    assert aftermath.settle() == 0

    assert states() == [("sending", 0, 0, 0)]
    assert files(folder) == []


def test_journal_from_before_the_machine_was_started_tells_nothing_and_goes_in_time(claimed, folder):
    kept, _ = claimed(1)
    del kept
    (path,) = files(folder)
    path.write_text(path.read_text().replace(journal.header().decode(), "journal 1 another-boot\n"))

    assert aftermath.settle() == 0
    assert files(folder) == [path]

    os.utime(path, (time.time() - 2 * aftermath.STRANGE_FOR,) * 2)
    assert aftermath.settle() == 0
    assert (files(folder), states()) == ([], [("sending", 0, 0, 0)])


def test_line_that_cannot_be_written_makes_the_file_void(claimed, folder, monkeypatch):
    kept, (row,) = claimed(1)
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(os, "write", lambda file, data, honest=os.write: honest(full, data))

    kept.started(row)

    os.close(full)
    assert files(folder) == []
    del kept
    assert aftermath.settle() == 0
    assert states() == [("sending", 0, 0, 0)]


def test_file_stays_small_while_all_of_it_is_recorded(claimed, folder, monkeypatch):
    monkeypatch.setattr(journal, "FULL", 1_000)
    kept, rows = claimed(40)
    outcomes = [receipt(row) for row in rows]

    kept.recorded(outcomes)
    kept.claiming("webhook", timezone.now())

    (path,) = files(folder)
    assert path.stat().st_size < 200


def test_full_file_makes_way_and_goes_when_its_last_row_is_recorded(claimed, folder, queued, monkeypatch):
    monkeypatch.setattr(journal, "FULL", 500)
    kept, rows = claimed(20)
    kept.recorded([receipt(row) for row in rows[1:]])
    kept.claiming("webhook", timezone.now())([])
    assert len(files(folder)) == 2

    kept.finished(receipt(rows[0]))
    kept.recorded([receipt(rows[0])])
    kept.claiming("webhook", timezone.now())([])

    assert len(files(folder)) == 1


def test_full_file_goes_when_its_leases_are_over(claimed, folder, monkeypatch):
    monkeypatch.setattr(journal, "FULL", 500)
    kept, rows = claimed(20)
    kept.claiming("webhook", timezone.now())([])
    monkeypatch.setattr(journal, "FORGET", -1.0)

    kept.claiming("webhook", timezone.now())([])

    assert len(files(folder)) == 1
    kept.started(rows[0])
    assert rows[0].id.hex not in files(folder)[0].read_text()


@pytest.mark.parametrize("mode", [0o500, 0o777])
def test_folder_that_will_not_do_turns_the_journal_off(tmp_path, settings, mode, caplog):
    if mode == 0o500 and os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(mode)
    settings.JOURNAL_DIR = str(place)

    for _ in range(2):
        kept = journal.of_process()
        kept.claiming("webhook", timezone.now() + timedelta(seconds=1))([])

    assert isinstance(kept, journal.Off)
    assert caplog.text.count("no journal is kept") == 1


def test_throttled_answer_is_recorded_as_the_provider_gave_it(claimed):
    kept, (row,) = claimed(1)
    kept.finished(Outcome(row, Throttled("slow down", retry_after=90.0), timezone.now()))
    del kept
    before = timezone.now()

    aftermath.settle()

    stored = NotificationLog.objects.get()
    assert (stored.status, stored.attempts, stored.error_class) == ("scheduled", 0, "throttled")
    assert stored.due_at is not None
    assert timedelta(seconds=88) < stored.due_at - before < timedelta(seconds=93)
