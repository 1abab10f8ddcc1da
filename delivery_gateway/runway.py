"""Threads for sending: many while providers take their time, few while they answer at once.

Young calls share the lanes. There are START of them, because threads that all have something to do hold each other up;
as long as calls wait, there come to be more, unless a thread that could run is kept waiting for the processor: then
more of them would only cost. A call older than SLOW seconds waits for its provider and gives its lane to another.

Whoever hangs takes neither the threads nor the time of others. Owners take turns. Those that answer have as many calls
out as they answer quickly, all others FIRST (see `standing`), and these together half of all threads, and lanes of
their own. Nobody has more calls out than threads are free: the first one that hangs leaves half of them, the second one
half of these. What an owner with a full house of slow calls still wants is turned away: `call(False)`.
"""

import logging
import resource
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import islice

from delivery_gateway import metronome
from delivery_gateway.standing import Call, Group, Owner, Run, begun

log = logging.getLogger(__name__)

START = 4  # lanes
NEWCOMERS = 8  # lanes of those who have yet to answer, at least
LOOK_EVERY = 0.02  # seconds between looks whether more lanes would help
LATE = 0.003  # seconds: a look that comes later than this had to wait for the processor
KNOWN = 5_000  # owners that are remembered

At = Callable[[float, Callable[[], object]], None]


class Runway:
    """At most `size` calls of one owner, twice as many of all. Somebody has to `make_way` now and then. Calls say
    whether they were answered, and must not raise. `at` starts something at a moment; without it the lanes stay.

    `waiting` calls want a lane; `parked` ones wait for an answer to a call of their owner.
    """

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic, *, at: At | None = None) -> None:
        self._size, self._clock, self._at = size, clock, at
        self.lanes, self.waiting, self.parked, self.is_closed = min(START, size), 0, 0, False
        self._trusted, self._newcomers = Group(), Group()
        self._owners: dict[Hashable, Owner] = {}
        self._parked: dict[Owner, None] = {}  # in the order of their turns
        self._running: set[Run] = set()
        self._is_watched = at is None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(2 * size + START, thread_name_prefix="deliver")

    def submit(self, owner: Hashable, call: Call) -> None:
        with self._lock:
            self._add(self._owners.get(owner) or self._met(owner), call)
            run = self._next()
            begins_to_wait = not self._is_watched and self.waiting + self.parked > 0
            self._is_watched |= begins_to_wait
        if run is not None:
            self._threads.submit(self._work, run)
        if begins_to_wait:
            self._look_later()

    def make_way(self) -> None:
        """Looks for calls that have become slow, and starts others in their place. Turns away whose house is full."""
        with self._lock:
            now = self._clock()
            for run in self._running:
                run.grow_older(now)
                if run.is_unanswered(now):
                    run.owner.fall_silent()
                    run.owner.move_to(self._newcomers)
            turned_away = self._turned_away(now)
            for owner in list(self._parked):
                self._unpark(owner)
            runs = list(iter(self._next, None))
        self._start(runs)
        for call in turned_away:
            call(False)

    def close(self) -> None:
        """Nothing begins any more; whoever makes way turns away all that waits, and all that is still to come."""
        self.is_closed = True

    def adapt(self, late: float) -> None:
        """`late`: seconds that a thread has just waited although it could run."""
        with self._lock:
            if late > LATE:
                self.lanes = max(min(START, self._size), self.lanes * 3 // 4)
            elif self.waiting:
                self.lanes = min(self._size, self.lanes + self.lanes // 2)
            runs = list(iter(self._next, None))
        self._start(runs)

    def _look_later(self) -> None:
        assert self._at is not None  # noqa: S101 - without it nobody comes here
        moment = self._clock() + LOOK_EVERY
        self._at(moment, partial(self._look, moment))

    def _look(self, moment: float) -> None:
        self.adapt(self._clock() - moment)
        self.make_way()
        with self._lock:
            self._is_watched = self.waiting + self.parked > 0
        if self._is_watched:
            self._look_later()

    def _start(self, runs: list[Run]) -> None:
        for run in runs:
            self._threads.submit(self._work, run)

    def _work(self, run: Run) -> None:
        current: Run | None = run
        while current is not None:
            is_well = False
            try:
                is_well = bool(current.call(True))
            except Exception:
                log.exception("a call has raised")
            current = self._after(current, is_well)

    def _after(self, run: Run, is_well: bool) -> Run | None:
        """The next call, for the same thread."""
        with self._lock:
            self._running.remove(run)
            run.end()
            if is_well:
                now = self._clock()
                run.owner.answer(now, now - run.began)
                run.owner.move_to(self._trusted)
            if run.owner.is_parked:
                self._unpark(run.owner)
            following = self._next()
            another = self._next() if is_well and following else None  # an answer may make room for two
        if another is not None:
            self._threads.submit(self._work, another)
        return following

    def _met(self, key: Hashable) -> Owner:
        if len(self._owners) >= KNOWN:
            for old in [one for one in islice(self._owners, KNOWN // 2) if self._owners[one].is_idle]:
                del self._owners[old]
        met = self._owners[key] = Owner(self._newcomers)
        return met

    def _add(self, owner: Owner, call: Call) -> None:
        owner.calls.append(call)
        if owner.is_parked:
            self.parked += 1
            return
        self.waiting += 1
        if len(owner.calls) == 1:
            owner.group.turns.append(owner)

    def _next(self) -> Run | None:
        """A waiting call that there is room for, of the owner whose turn it is. The lock is held."""
        if self.is_closed or not self.waiting or len(self._running) >= 2 * self._size:
            return None
        run = None
        if self._trusted.turns and self._trusted.young < self.lanes + max(2, self.lanes // 4):
            run = self._next_of(self._trusted)
        newcomers = self._newcomers
        if run is None and newcomers.out < self._size and newcomers.young < max(self.lanes, NEWCOMERS):
            run = self._next_of(newcomers)
        return run

    def _next_of(self, group: Group) -> Run | None:
        now = self._clock()
        for _ in range(len(group.turns)):
            owner = group.turns.popleft()
            if owner.young >= self.lanes:
                group.turns.append(owner)
            elif owner.out >= self._room(owner, now):
                self._park(owner)
            else:
                run = begun(owner, now)
                self.waiting -= 1
                self._running.add(run)
                if owner.calls:
                    group.turns.append(owner)
                return run
        return None

    def _room(self, owner: Owner, now: float) -> int:
        """Calls that it may have out now."""
        return min(owner.room_at(now), self._size, 2 * self._size - len(self._running))

    def _park(self, owner: Owner) -> None:  # it is out of its group's turns already
        owner.is_parked = True
        self._parked[owner] = None
        self.parked += len(owner.calls)
        self.waiting -= len(owner.calls)

    def _unpark(self, owner: Owner) -> None:
        owner.is_parked = False
        del self._parked[owner]
        self.parked -= len(owner.calls)
        self.waiting += len(owner.calls)
        if owner.calls:
            owner.group.turns.append(owner)

    def _turned_away(self, now: float) -> list[Call]:
        """What those who are parked have no use for. The lock is held."""
        for group in (self._trusted, self._newcomers):
            for _ in range(len(group.turns)):
                self._park(group.turns.popleft())
        calls: list[Call] = []
        for owner in self._parked:
            kept = self._worth_keeping(owner, now)
            calls += owner.calls[kept:]
            self.parked -= len(owner.calls[kept:])
            del owner.calls[kept:]
        return calls

    def _worth_keeping(self, owner: Owner, now: float) -> int:
        """How many of its calls may wait: all while none that is out is slow, then as many as the next answers take."""
        is_new = owner.group is self._newcomers
        if self.is_closed or (is_new and self._newcomers.slow >= self._size):
            return 0
        if not owner.slow:
            return len(owner.calls)
        room = self._room(owner, now)
        most = room if is_new else min(self._size, 2 * self._size - len(self._running))
        return 2 * room if owner.slow < most else 0  # each answer makes room for two


@cache
def of_process(size: int) -> Runway:
    """One per process, made after the fork."""
    _allow_descriptors(8 * size)
    return Runway(size, at=metronome.of_process().at)


def _allow_descriptors(count: int) -> None:
    """A call takes up to two, of twice `size` calls; as many connections again may be at rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
