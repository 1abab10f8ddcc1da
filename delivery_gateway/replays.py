"""Dead letters sent again in the background: a job is a row, and workers take slices of it until it is done.

A slice replays its letters and moves the job's cursor in one transaction: whoever is killed has done all of a slice or
nothing of it, and no letter is met twice, also when it fails again meanwhile.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from delivery_gateway import dead_letters
from delivery_gateway.models import DeadLetter
from delivery_gateway.replay_job import ReplayJob
from delivery_gateway.selectors import dead_letters_of, waiting
from traffic_control import audit
from traffic_control.crash_points import Point, crash_point
from traffic_control.errors import Problem
from traffic_control.wakeup import wake

SLICE = 500  # letters a transaction
FILTERS = {"channel": "channel", "code": "code", "event_id": "notification__event_id", "ids": "id__in"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Letters of one tenant that are neither sent again nor put away. Without a filter, all of them."""

    tenant_id: uuid.UUID
    filters: dict[str, Any] = field(default_factory=dict)

    def letters(self) -> QuerySet[DeadLetter]:
        return waiting(dead_letters_of(self.tenant_id)).filter(
            **{FILTERS[name]: value for name, value in self.filters.items()}
        )


def start(choice: Choice, *, rate: int | None = None, started_by: str = "") -> ReplayJob:
    """Raises Problem 409 `nothing_to_replay`."""
    letters = choice.letters()
    last = letters.order_by("-id").values_list("id", flat=True).first()
    if last is None:
        raise Problem("nothing_to_replay", "No dead letter that waits is like that.", status=409)
    now = timezone.now()
    with transaction.atomic():
        job = ReplayJob.objects.create(
            tenant_id=choice.tenant_id,
            chosen={name: _plain(value) for name, value in choice.filters.items()},
            rate=rate,
            started_by=started_by[:200],
            created_at=now,
            next_at=now,
            last=last,
            total=letters.filter(id__lte=last).count(),
        )
        told = f"{job.total} dead letter{'' if job.total == 1 else 's'} to be sent again"
        audit.record("replay_job.started", tenant_id=job.tenant_id, object_id=job.pk, summary=told)
        wake("replay")
    return job


def proceed(*, now: datetime) -> bool:
    """One slice of the job that is due longest; whether there may be more to do at once."""
    with transaction.atomic():
        due = ReplayJob.objects.select_for_update(skip_locked=True).filter(
            state=ReplayJob.State.RUNNING, next_at__lte=now
        )
        job = due.order_by("next_at").first()
        if job is None:
            return False
        _take_slice(job, now)
        crash_point(Point.SLICE_REPLAYED)
    return True


def _take_slice(job: ReplayJob, now: datetime) -> None:
    letters = Choice(job.tenant_id, job.chosen).letters().filter(id__lte=job.last)
    rest = letters.filter(id__gt=job.cursor) if job.cursor else letters
    most = min(SLICE, job.rate or SLICE)
    ids = list(rest.order_by("id").values_list("id", flat=True)[:most])
    if ids:
        done = dead_letters.send_again(DeadLetter.objects.in_scope().filter(id__in=ids), limit=most, job_id=job.pk)
        job.replayed, job.cursor = job.replayed + len(done), ids[-1]
    job.next_at = now + timedelta(seconds=len(ids) / job.rate) if job.rate else now
    if len(ids) < most:
        _end(job, ReplayJob.State.FINISHED, now)
    job.save()


def cancel(tenant_id: uuid.UUID, job_id: uuid.UUID) -> ReplayJob | None:
    """What is sent again stays so; nothing more is. Waits for the slice under way. None when there is no such job."""
    with transaction.atomic():
        job = ReplayJob.objects.select_for_update().filter(tenant_id=tenant_id, id=job_id).first()
        if job is not None and job.state == ReplayJob.State.RUNNING:
            _end(job, ReplayJob.State.CANCELLED, timezone.now())
            job.save()
    return job


def _end(job: ReplayJob, state: ReplayJob.State, now: datetime) -> None:
    job.state, job.finished_at = state, now
    told = f"{job.replayed} of {job.total} dead letters sent again"
    audit.record(f"replay_job.{state.value}", tenant_id=job.tenant_id, object_id=job.pk, summary=told)


def outcomes(job: ReplayJob) -> dict[str, int]:
    """Where the job's notifications are by now, by status."""
    rows = DeadLetter.objects.for_tenant(job.tenant_id).filter(replay_job_id=job.pk).values_list("notification__status")
    return dict(rows.annotate(number=Count("id")).order_by("notification__status"))


def _plain(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, list) else str(value)
