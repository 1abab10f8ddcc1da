"""Traffic Control with its templates rendered in the process that needs them: what renderer processes are measured
against. The same sandbox and the same code, but nothing goes through a pipe, and nothing bounds what a template takes.
`celery -A bench.in_process`; for the web server `bench.in_process_web`.
"""

from collections.abc import Sequence
from typing import Any

import django

from traffic_control.celery import app

django.setup()

from notification_processor import rendering  # noqa: E402 - which needs the settings
from notification_processor.renderer.serving import Question  # noqa: E402
from notification_processor.renderer.wire import FAULT  # noqa: E402
from notification_processor.renderer_jobs import AT_ONCE, Answer, Effort, Job, Refused  # noqa: E402

__all__ = ["app"]


class Turn(Question):
    """Of any length: nobody else waits for it."""

    def all_answers(self) -> list[Any]:
        return [self._timed(job) for job in self.jobs]


def answered(jobs: Sequence[Job], *, effort: Effort = AT_ONCE) -> list[Answer]:
    """As `renderer_jobs.answered`."""
    contexts = {id(job.context): job.context for job in jobs}
    sources = dict.fromkeys(job.source for job in jobs)
    context_at, source_at = ({key: at for at, key in enumerate(keys)} for keys in (contexts, sources))
    asked = [(job.what, source_at[job.source], context_at[id(job.context)], job.customer) for job in jobs]
    turn = Turn({"sources": list(sources), "contexts": list(contexts.values()), "jobs": asked})
    return [Refused(*value) if kind == FAULT else value for _, kind, value in turn.all_answers()]


rendering.answered = answered
