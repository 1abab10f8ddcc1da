from datetime import UTC, datetime, timedelta

import pytest

from delivery_gateway.contract import Ambiguous, ContentRejected, Misconfigured, RecipientGone, Throttled, Transient
from delivery_gateway.retry import Facts, Schedule, Step, step_after, step_after_lapse
from delivery_gateway.states import Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCHEDULE = Schedule()


def facts(*, attempts=0, ambiguous=0, expires_at=None, max_ambiguous=None):
    give_up_at = NOW + timedelta(days=3)
    return Facts(attempts, ambiguous, expires_at, give_up_at, max_ambiguous)


@pytest.mark.parametrize(
    ("attempt", "error", "expected"),
    [
        (1, Transient(), timedelta(seconds=5)),
        (2, Transient(), timedelta(seconds=30)),
        (5, Ambiguous(), timedelta(seconds=900)),
        (7, Transient(), timedelta(seconds=900)),
        (8, Transient(), None),
        (1, Throttled(retry_after=90), timedelta(seconds=90)),
        (1, Throttled(retry_after=0), timedelta(seconds=1)),
        (1, Throttled(retry_after=86_400), timedelta(hours=1)),
        (1, Throttled(), timedelta(seconds=60)),
        (1, Transient(retry_after=7), timedelta(seconds=7)),
    ],
)
def test_next_attempt_follows_the_schedule(attempt, error, expected):
    assert SCHEDULE.next_attempt(attempt, error) == expected


@pytest.mark.parametrize(("jitter", "seconds"), [(-1, 24), (0, 30), (1, 36)])
def test_next_attempt_spreads_by_a_fifth(jitter, seconds):
    assert SCHEDULE.next_attempt(2, Transient(), jitter=jitter) == timedelta(seconds=seconds)


def test_next_attempt_with_long_waits_is_capped():
    assert Schedule((5_000,), max_backoff=900).next_attempt(1, Transient()) == timedelta(seconds=900)


@pytest.mark.parametrize(
    ("error", "given", "expected"),
    [
        (Transient(), facts(), Step(Status.SCHEDULED, NOW + timedelta(seconds=5), "retry")),
        (Transient(), facts(attempts=7), Step(Status.FAILED, reason="retries_exhausted")),
        (Transient(retry_after=9), facts(attempts=7), Step(Status.FAILED, reason="retries_exhausted")),
        (
            Throttled(retry_after=9),
            facts(attempts=7),
            Step(Status.SCHEDULED, NOW + timedelta(seconds=9), "retry", counts_attempt=False),
        ),
        (RecipientGone(), facts(), Step(Status.FAILED, reason="recipient")),
        (ContentRejected(), facts(), Step(Status.FAILED, reason="content")),
        (Misconfigured(), facts(), Step(Status.FAILED, reason="config")),
        (
            Ambiguous(),
            facts(max_ambiguous=2),
            Step(Status.SCHEDULED, NOW + timedelta(seconds=5), "retry", counts_ambiguous=True),
        ),
        (
            Ambiguous(),
            facts(ambiguous=2, max_ambiguous=2),
            Step(Status.HELD, reason="ambiguous", counts_ambiguous=True),
        ),
        (
            Ambiguous(),
            facts(ambiguous=9),
            Step(Status.SCHEDULED, NOW + timedelta(seconds=5), "retry", counts_ambiguous=True),
        ),
        (Transient(), facts(expires_at=NOW + timedelta(seconds=4)), Step(Status.EXPIRED, reason="expired")),
    ],
)
def test_step_after_an_error_follows_its_class(error, given, expected):
    assert step_after(error, given, SCHEDULE, now=NOW, jitter=0) == expected


def test_step_after_three_days_gives_up():
    old = Facts(0, 0, None, NOW, None)
    assert step_after(Throttled(retry_after=5), old, SCHEDULE, now=NOW, jitter=0).status == Status.FAILED


@pytest.mark.parametrize(
    ("crashes", "given", "is_transactional", "was_alone", "status", "counts_ambiguous"),
    [
        (0, facts(), False, False, Status.QUEUED, True),
        (0, facts(), True, False, Status.QUEUED, False),
        (0, facts(ambiguous=2, max_ambiguous=2), False, False, Status.HELD, True),
        (1, facts(), False, True, Status.QUEUED, True),
        (2, facts(), False, True, Status.FAILED, True),
        (2, facts(), True, True, Status.FAILED, False),
        (2, facts(), False, False, Status.QUEUED, True),
    ],
)
def test_step_after_a_lapse_depends_on_channel_and_company(
    crashes, given, is_transactional, was_alone, status, counts_ambiguous
):
    step = step_after_lapse(given, crashes, is_transactional=is_transactional, was_alone=was_alone)
    assert (step.status, step.counts_ambiguous) == (status, counts_ambiguous)
