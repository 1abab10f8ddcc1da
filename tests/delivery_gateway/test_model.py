"""The life of ledger rows against a model of it: two workers, the clock, an operator and a tenant, in any order.

Each worker has its own thread, and so its own connection. A worker keeps what it has claimed however late it is:
holders whose lease is long over finish, too. `make model` does 10,000 runs.
"""

import os
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from delivery_gateway import dead_letters, leases, ledger, stopping
from delivery_gateway.contract import (
    Ambiguous,
    ContentRejected,
    DeliveryError,
    Receipt,
    RecipientGone,
    Throttled,
    Transient,
)
from delivery_gateway.flight import NOT_STARTED
from delivery_gateway.leases import LEASE, Outcome
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import Attempt, DeadLetter, InboxItem, NotificationLog, Suppression
from delivery_gateway.states import ALLOWED, IllegalTransition, Status

RUNS = int(os.environ.get("MODEL_RUNS", "40"))
LANES = {"webhook": "webhook", "slack": "chat", "in_app": "in_app"}
ANSWERS: dict[str, Callable[[], Receipt | DeliveryError]] = {
    "receipt": Receipt,
    "transient": lambda: Transient("down", code="http_500"),
    "throttled": lambda: Throttled("later", retry_after=5),
    "ambiguous": lambda: Ambiguous("reset", code="reset"),
    "content": lambda: ContentRejected("no", code="no"),
    "gone": lambda: RecipientGone("gone", code="gone"),
}
WORKERS = st.sampled_from((0, 1))

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="two connections need PostgreSQL"),
    pytest.mark.timeout(0 if RUNS > 100 else 60),
]


@dataclass
class Expected:
    """What the counters of a row must say, and how often its provider has taken it."""

    lane: str
    fence: int = 0
    attempts: int = 0
    ambiguous: int = 0
    taken: int = 0
    calls: int = 0
    status: Status = Status.QUEUED
    lapses: int = 0


class Life(RuleBasedStateMachine):
    tenant: Any = None
    pools: tuple[ThreadPoolExecutor, ThreadPoolExecutor]

    def __init__(self) -> None:
        super().__init__()
        self.now = timezone.now()
        self.rows: dict[uuid.UUID, Expected] = {}
        self.held: tuple[list[NotificationLog], list[NotificationLog]] = ([], [])

    def by(self, worker: int, call: Callable[[], Any]) -> Any:
        return self.pools[worker].submit(call).result(30)

    @initialize(channels=st.lists(st.sampled_from(sorted(LANES)), min_size=1, max_size=3), expires=st.booleans())
    def accept(self, channels: list[str], expires: bool) -> None:
        end = self.now + timedelta(minutes=10) if expires else None
        for channel in channels:
            new = NewNotification(
                tenant_id=self.tenant.id,
                channel=channel,
                status=Status.QUEUED,
                created_at=self.now,
                routed_at=self.now,
                customer_id=self.tenant.id if channel == "in_app" else None,
                to="x",
                body="x",
                expires_at=end,
            )
            ledger.open_rows([new])
            self.rows[new.id] = Expected(LANES[channel])

    @rule(worker=WORKERS, lane=st.sampled_from(sorted(LANES.values())))
    def claim(self, worker: int, lane: str) -> None:
        claimed = self.by(worker, lambda: leases.claim(lane, limit=2, now=self.now))
        for row in claimed:
            expected = self.rows[row.id]
            assert expected.status == Status.QUEUED
            expected.fence += 1
            assert row.fence == expected.fence
            self.held[worker].append(row)

    @rule(worker=WORKERS, lane=st.sampled_from(sorted(LANES.values())))
    def claim_beside_a_claim_that_is_not_committed(self, worker: int, lane: str) -> None:
        """The other one gets nothing of it, and it may yet be rolled back."""

        def claim_and_roll_back() -> None:
            with transaction.atomic():
                first = {row.id for row in leases.claim(lane, limit=1, now=self.now)}
                second = self.by(1 - worker, lambda: leases.claim(lane, limit=5, now=self.now))
                assert not first & {row.id for row in second}
                for row in second:
                    self.rows[row.id].fence += 1
                    self.held[1 - worker].append(row)
                transaction.set_rollback(True)

        self.by(worker, claim_and_roll_back)

    @rule(worker=WORKERS, at=st.integers(0, 5), answer=st.sampled_from(sorted(ANSWERS)))
    def finish(self, worker: int, at: int, answer: str) -> None:
        """The provider is called, and its answer recorded, however late."""
        if not self.held[worker]:
            return
        row = self.held[worker].pop(at % len(self.held[worker]))
        expected, before = self.rows[row.id], NotificationLog.objects.get(id=row.id)
        result, is_mine = ANSWERS[answer](), row.fence == before.fence and before.status == Status.SENDING
        expected.taken += answer in ("receipt", "ambiguous")

        self.by(worker, lambda: leases.finish([Outcome(row, result, self.now)], now=self.now))

        if is_mine:
            expected.calls += 1
            expected.attempts += answer != "throttled"
            expected.ambiguous += answer == "ambiguous"
            assert (NotificationLog.objects.get(id=row.id).status == Status.SENT) == (answer == "receipt")
        else:
            assert fields_of(NotificationLog.objects.get(id=row.id)) == fields_of(before)

    @rule(worker=WORKERS, at=st.integers(0, 5))
    def give_back(self, worker: int, at: int) -> None:
        if not self.held[worker]:
            return
        row = self.held[worker].pop(at % len(self.held[worker]))
        before = NotificationLog.objects.get(id=row.id)
        is_mine = row.fence == before.fence and before.status == Status.SENDING
        self.by(worker, lambda: leases.finish([Outcome(row, None, self.now, step=NOT_STARTED)], now=self.now))
        after = NotificationLog.objects.get(id=row.id)
        assert after.status == Status.QUEUED if is_mine else fields_of(after) == fields_of(before)

    @rule(worker=WORKERS, at=st.integers(0, 5))
    def take_unseen(self, worker: int, at: int) -> None:
        """The provider takes it, and the worker dies or is stopped: it never says so."""
        if self.held[worker]:
            row = self.held[worker].pop(at % len(self.held[worker]))
            self.rows[row.id].taken += row.lane != "in_app"  # there, taking it and saying so are one commit

    @rule(worker=WORKERS, is_alone=st.booleans())
    def lapse(self, worker: int, is_alone: bool) -> None:
        """All leases run out; `is_alone`: those sent were."""
        if is_alone:
            NotificationLog.objects.filter(status=Status.SENDING).update(reason=leases.ALONE)
        self.now += LEASE + timedelta(seconds=1)
        lapsed = list(NotificationLog.objects.filter(status=Status.SENDING, lease_until__lt=self.now))

        assert self.by(worker, lambda: leases.release_lapsed(now=self.now, limit=100)) == len(lapsed)

        for before in lapsed:
            expected, after = self.rows[before.id], NotificationLog.objects.get(id=before.id)
            assert after.status in (Status.QUEUED, Status.HELD, Status.FAILED)
            assert (after.status == Status.FAILED) == (before.crashes == 2 and is_alone)
            expected.attempts += after.status != Status.QUEUED
            expected.ambiguous += before.lane != "in_app"
            expected.lapses += 1

    @rule(seconds=st.sampled_from((1, 60, 1_000)))
    def promote(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        ledger.promote_due(now=self.now, limit=100)
        assert not NotificationLog.objects.filter(status=Status.SCHEDULED, due_at__lte=self.now).exists()

    @rule()
    def expire(self) -> None:
        stopping.expire(now=self.now)

    @rule(at=st.integers(0, 5))
    def cancel(self, at: int) -> None:
        row_id = sorted(self.rows)[at % len(self.rows)]
        before = NotificationLog.objects.get(id=row_id)
        if Status.CANCELLED in ALLOWED[Status(before.status)]:
            stopping.cancel(NotificationLog.objects.all(), row_id)
        else:
            with pytest.raises(IllegalTransition):
                stopping.cancel(NotificationLog.objects.all(), row_id)
            assert fields_of(NotificationLog.objects.get(id=row_id)) == fields_of(before)

    @rule()
    def replay(self) -> None:
        failed = set(NotificationLog.objects.filter(status=Status.FAILED).values_list("id", flat=True))
        assert dead_letters.replay(DeadLetter.objects.all()) == len(failed)
        for row_id in failed:
            self.rows[row_id].attempts = 0

    @invariant()
    def ledger_says_what_has_happened(self) -> None:
        calls = Counter(Attempt.objects.exclude(outcome="lapsed").values_list("notification_id", flat=True))
        lapses = Counter(Attempt.objects.filter(outcome="lapsed").values_list("notification_id", flat=True))
        open_letters = Counter(DeadLetter.objects.filter(replayed_at=None).values_list("notification_id", flat=True))
        for row in NotificationLog.objects.all():
            expected, status = self.rows[row.id], Status(row.status)
            assert status == expected.status or status in ALLOWED[expected.status], f"{expected.status} became {status}"
            expected.status = status
            assert (row.fence, row.attempts, row.ambiguous) == (expected.fence, expected.attempts, expected.ambiguous)
            assert (calls[row.id], lapses[row.id]) == (expected.calls, expected.lapses)
            assert open_letters[row.id] == (status == Status.FAILED)
            if row.lane == "in_app":
                assert InboxItem.objects.filter(id=row.id).exists() == (status == Status.SENT)
            else:
                assert expected.taken - 1 <= row.ambiguous + (status == Status.SENDING)

    def teardown(self) -> None:
        for model in (Attempt, DeadLetter, InboxItem, Suppression, NotificationLog):
            model._default_manager.all()._raw_delete(using="default")


def fields_of(row: NotificationLog) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


@pytest.fixture
def life(acme, settings):
    """The model with its tenant, and a thread for each worker."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        Life.tenant, Life.pools = acme.tenant, (first, second)
        yield Life
        for pool in Life.pools:
            pool.submit(connections.close_all).result(10)


def test_rows_live_as_their_model_says(life):
    profile = settings(
        max_examples=RUNS, stateful_step_count=25, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    run_state_machine_as_test(life, settings=profile)
