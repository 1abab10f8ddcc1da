"""Jobs that send dead letters again: slices, rate, cancelling, and that no letter is met twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery_gateway import dead_letters, replays
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.replay_job import ReplayJob
from delivery_gateway.replays import Choice
from delivery_gateway.states import Status
from monitoring.models import AuditEntry
from notification_processor import backlog
from tenants.services import register
from tests.conftest import client_with

REPLAYS = "/v1/dead-letters/replays/"


@pytest.fixture
def api(acme, at_rest):
    return client_with(acme.api_key)


def deeds(action):
    return list(AuditEntry.objects.filter(action=action).values_list("summary", flat=True))


def start(api, **body):
    answer = api.post(REPLAYS, body)
    assert answer.status_code == 202, answer.json()
    return answer.json()


def test_job_sends_the_chosen_letters_again_and_shows_how_far_it_is(api, fail, monkeypatch):
    monkeypatch.setattr(replays, "SLICE", 2)
    fail(5)
    fail(1, reason="http_500")
    job = start(api, channel="webhook", code="http_404")
    assert (job["state"], job["total"], job["replayed"]) == ("running", 5, 0)

    seen = []
    while replays.proceed(now=timezone.now()):
        now = api.get(job["links"]["self"]).json()
        seen.append((now["state"], now["replayed"], now["outcomes"]))

    assert seen == [
        ("running", 2, {"queued": 2}), ("running", 4, {"queued": 4}), ("finished", 5, {"queued": 5}),
    ]  # fmt: skip
    assert NotificationLog.objects.get(status=Status.FAILED).error_code == "http_500"
    assert deeds("replay_job.started") == ["5 dead letters to be sent again"]
    assert deeds("replay_job.finished") == ["5 of 5 dead letters sent again"]


def test_letter_that_fails_again_meanwhile_is_not_met_twice(api, fail, monkeypatch):
    monkeypatch.setattr(replays, "SLICE", 1)
    letters = fail(2)
    start(api)
    assert replays.proceed(now=timezone.now())
    first = NotificationLog.objects.get(id=letters[0].notification_id)
    NotificationLog.objects.filter(id=first.id).update(status=Status.SENDING, fence=1, lease_until=timezone.now())
    NotificationLog.objects.filter(id=first.id).update(status=Status.FAILED, lease_until=None, error_code="http_404")
    first.refresh_from_db()
    dead_letters.open_letters([first])

    while replays.proceed(now=timezone.now()):
        pass

    job = ReplayJob.objects.get()
    assert (job.state, job.replayed) == ("finished", 2)
    assert replays.outcomes(job) == {"failed": 1, "queued": 1}
    assert DeadLetter.objects.filter(replayed_at=None).count() == 1


def test_letters_that_come_later_are_not_the_jobs(api, fail):
    fail(1)
    start(api)
    fail(1)

    while replays.proceed(now=timezone.now()):
        pass

    assert DeadLetter.objects.filter(replayed_at=None).count() == 1


def test_rate_makes_slices_wait(api, fail):
    fail(5)
    start(api, rate=2)
    now = timezone.now()

    taken = [replays.proceed(now=now + timedelta(seconds=passed)) for passed in (0, 0.5, 1.1, 1.2, 2.3)]

    assert taken == [True, False, True, False, True]
    assert ReplayJob.objects.get().replayed == 5
    assert "replay" not in backlog.stages(now)


def test_dispatcher_wakes_jobs_that_are_due(api, fail):
    fail(1)
    start(api)

    assert "replay" in backlog.stages(timezone.now())


def test_cancelled_job_leaves_the_rest(api, fail, monkeypatch):
    monkeypatch.setattr(replays, "SLICE", 2)
    fail(5)
    job = start(api)
    replays.proceed(now=timezone.now())

    cancelled = api.post(f"{job['links']['self']}cancel/")

    assert (cancelled.status_code, cancelled.json()["state"], cancelled.json()["replayed"]) == (200, "cancelled", 2)
    assert not replays.proceed(now=timezone.now())
    assert NotificationLog.objects.filter(status=Status.FAILED).count() == 3
    assert deeds("replay_job.cancelled") == ["2 of 5 dead letters sent again"]


def test_jobs_take_turns(api, acme, fail, monkeypatch):
    monkeypatch.setattr(replays, "SLICE", 1)
    fail(2)
    fail(2, reason="http_500")
    for code in ("http_404", "http_500"):
        start(api, code=code)

    for _ in range(2):
        replays.proceed(now=timezone.now())

    assert set(ReplayJob.objects.values_list("replayed", flat=True)) == {1}


def test_other_tenants_letters_and_jobs_stay_theirs(api, acme, fail):
    fail(1)
    globex = register("Globex", "ops@globex.test")
    other = client_with(globex.api_key)
    job = start(api)

    assert other.get(job["links"]["self"]).status_code == 404
    assert other.post(f"{job['links']['self']}cancel/").status_code == 404
    assert other.get(REPLAYS).json()["data"] == []
    assert other.post(REPLAYS, {}).json()["code"] == "nothing_to_replay"
    assert Choice(globex.tenant.id).letters().count() == 0
    assert [one["id"] for one in api.get(REPLAYS).json()["data"]] == [job["id"]]


def test_slice_that_dies_has_done_nothing(api, fail, monkeypatch):
    fail(3)
    start(api)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(replays, "crash_point", dies)
        with pytest.raises(KeyboardInterrupt):
            replays.proceed(now=timezone.now())
    between = ReplayJob.objects.get().replayed, NotificationLog.objects.filter(status=Status.FAILED).count()
    replays.proceed(now=timezone.now())

    assert between == (0, 3)
    assert (ReplayJob.objects.get().replayed, NotificationLog.objects.filter(status=Status.QUEUED).count()) == (3, 3)
