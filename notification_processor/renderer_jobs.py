"""Jobs for the renderer, many to a question; whose template ends the process is found out, and nobody else suffers."""

import logging
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from notification_processor.renderer.wire import FAULT, encoded, is_answer
from notification_processor.renderer_pool import ENDLESS, POOL, Busy, Patience, Place
from notification_processor.renderer_process import BABBLES, Gone, Starting, Unstartable
from traffic_control.errors import Problem

log = logging.getLogger(__name__)

WALL = 0.8  # seconds for one question; a turn ends much sooner, unless one job takes it all
PATIENCE = 1.0  # seconds that somebody waits for one text, whatever may be in its way
PATIENCE_FOR_MANY = 4.0  # and for several, and so many more for each of them:
PATIENCE_FOR_EACH = 0.02
JOBS = 128  # a question
BYTES = 512 * 1024  # of contexts in a question, after which it is full
TRIES = 2  # of a job whose renderer ended for no reason that we know; one out of time has as many as its caller says
CALL = 20.0  # seconds of one call, after which whoever has had SMALL_SHARE of them gets no more
SMALL_SHARE = 1.0
NOTHING: dict[str, Any] = {}
Text = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """`what` is one of the words of `renderer.wire`. Contexts that are one object travel once. `owner`: whose job."""

    what: str
    source: Text
    context: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    customer: Mapping[str, Any] | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A template that does not compile or render, or that takes too much."""

    detail: str
    part: str = "body"
    line: int | None = None
    column: int | None = None


class Late(Exception):
    """The renderer got no time to answer: the machine has too much to do, which is not the template's fault."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to go on about templates that are in the way.

    `tries`: of a text that nobody has made in time though it has not used up its processor time, as on a starved
    machine; when they are over it is refused, or, with one, a Problem. `stops`: of renderers by one owner's templates,
    and `share`, seconds that they may take of one call, after which the rest of that owner's are not made. The
    `patience` is for all of a request: for places, for renderers and for answers.
    """

    tries: int
    stops: int
    share: float
    patience: Patience = ENDLESS


def at_once(texts: int = 1) -> Effort:
    """From now on. Somebody waits for the answer."""
    seconds = PATIENCE if texts <= 1 else PATIENCE_FOR_MANY + PATIENCE_FOR_EACH * texts
    return replace(AT_ONCE, patience=Patience(time.monotonic() + seconds))


AT_ONCE = Effort(tries=1, stops=2, share=3.0)
IN_TURN = Effort(tries=4, stops=20, share=10.0)  # a fault is for good
TOO_SLOW = Refused("the template takes too much time or memory: it was stopped")
CROWDED_OUT = Refused("not made, as other texts that came with it took too much time or memory")
Answer = Any  # what DONE brings, or Refused


def answered(jobs: Sequence[Job], *, effort: Effort | None = None) -> list[Answer]:
    """In the order of the jobs. Without an `effort` somebody waits. Raises Problem `renderer_unavailable`."""
    if not jobs:
        return []
    effort = effort or at_once(len(jobs))
    owners = {job.owner for job in jobs}
    try:
        with POOL.place(owners.pop() if len(owners) == 1 else "", effort.patience) as place:
            return Conversation(jobs, place, effort).held()
    except (Unstartable, Starting, Busy, Late) as exc:
        log.error("templates cannot be rendered: %s", exc)
        detail = "Templates cannot be rendered at the moment; nothing was stored. Try again."
        raise Problem("renderer_unavailable", detail, status=503, headers={"Retry-After": "2"}) from exc


class Conversation:
    """One call's jobs with the renderer of one place."""

    def __init__(self, jobs: Sequence[Job], place: Place, effort: Effort) -> None:
        self._jobs, self._place, self._effort = jobs, place, effort
        self._answers: dict[int, Answer] = {}
        self._tries: dict[int, int] = {}
        self._spent: dict[str, float] = {}
        self._stops: dict[str, int] = {}
        self._suspects: set[int] = set()  # jobs of a question that was never answered: asked one by one
        self._began = time.monotonic()

    def held(self) -> list[Answer]:
        waiting = deque(range(len(self._jobs)))
        while waiting:
            taken = self._taken(waiting)
            if taken:
                waiting.extendleft(reversed(taken[self._ask(taken) :]))
        return [self._answers[number] for number in range(len(self._jobs))]

    def _taken(self, waiting: deque[int]) -> list[int]:
        """The next question's jobs: one if it is a suspect, else as many as fit."""
        taken: list[int] = []
        while waiting and len(taken) < JOBS:
            if waiting[0] in self._suspects and taken:
                break
            number = waiting.popleft()
            if self._has_had_enough(self._jobs[number].owner):
                self._answers[number] = CROWDED_OUT
                continue
            taken.append(number)
            if number in self._suspects:
                break
        return taken

    def _ask(self, numbers: list[int]) -> int:
        """How many of them are done with."""
        if time.monotonic() > self._effort.patience.until:
            raise Late("there was no time left for the rest")
        question, asked = _question([self._jobs[n] for n in numbers])
        began = time.monotonic()
        try:
            given = self._place.ask(question, seconds=WALL, patience=self._effort.patience)
            self._check(given, numbers[:asked])
        except Gone as end:
            return self._bury(numbers[:asked], end, time.monotonic() - began)
        for number, (microseconds, kind, value) in zip(numbers, given, strict=False):
            self._answers[number] = Refused(*value) if kind == FAULT else value
            self._charge(number, microseconds / 1e6)
        return len(given)

    def _check(self, given: Any, numbers: Sequence[int]) -> None:
        """Raises Gone, and then it is."""
        what = [self._jobs[number].what for number in numbers]
        if type(given) is list and 0 < len(given) <= len(what) and all(map(is_answer, what, given)):
            return
        self._place.close()
        self._place.vacate(was_stopped=True)
        raise Gone(BABBLES)

    def _bury(self, numbers: list[int], end: Gone, seconds: float) -> int:
        """The renderer ended: a lone job is the reason, of several nobody knows which one is."""
        if end.has_left and numbers[0] not in self._tries:
            self._tries[numbers[0]] = 1
            return 0
        log.warning("a renderer %s", end, extra={"tenants": sorted({self._jobs[n].owner for n in numbers})[:20]})
        if len(numbers) > 1:
            self._suspects.update(numbers)
            return 0
        (number,) = numbers
        self._charge(number, seconds)
        self._tries[number] = self._tries.get(number, 0) + 1
        if not end.has_used_up_its_time:
            if self._tries[number] < (self._effort.tries if end.code is None else TRIES):
                return 0
            if end.code is None and self._effort.tries == 1:
                raise Late(str(end))
        owner = self._jobs[number].owner
        self._stops[owner] = self._stops.get(owner, 0) + 1
        self._answers[number] = TOO_SLOW
        return 1

    def _charge(self, number: int, seconds: float) -> None:
        owner = self._jobs[number].owner
        self._spent[owner] = self._spent.get(owner, 0.0) + seconds

    def _has_had_enough(self, owner: str) -> bool:
        if self._stops.get(owner, 0) >= self._effort.stops:
            return True
        late = time.monotonic() - self._began > CALL
        return self._spent.get(owner, 0.0) > (SMALL_SHARE if late else self._effort.share)


def _question(jobs: Iterable[Job]) -> tuple[bytes, int]:
    """The frame, and how many of the jobs it has: as many as are not too large together, at least one."""
    sources: dict[Text, int] = {}
    contexts: dict[int, int] = {}
    written: list[bytes] = []
    asked: list[Any] = []
    size = 0
    for job in jobs:
        if size > BYTES:
            break
        if id(job.context) not in contexts:
            contexts[id(job.context)] = len(contexts)
            written.append(encoded(job.context))
            size += len(written[-1])
        size += sum(map(len, job.source)) if job.source not in sources else 0
        number = sources.setdefault(job.source, len(sources))
        asked.append((job.what, number, contexts[id(job.context)], job.customer))
    shared = b",".join(written)
    head = encoded({"sources": list(sources), "jobs": asked})[:-1]
    return head + b',"contexts":[' + shared + b"]}", len(asked)
