"""Threads for sending: many while providers take their time, few while they answer at once.

Young calls share the lanes. There are START of them, because threads that all have something to do hold each other up;
as long as calls wait, there come to be more, unless a thread that could run is kept waiting for the processor: then
more of them would only cost. A call older than SLOW seconds waits for its provider and gives its lane to another.

Whoever hangs takes neither the threads nor the time of others. Owners take turns, a quarter of the lanes is left to
other owners, and nobody has more calls out than threads are free: the first one that hangs leaves half of them, the
second one half of these. What an owner with a full house of slow calls still wants is turned away: `call(False)`.
"""

import logging
import resource
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial

from delivery_gateway.metronome import Metronome

log = logging.getLogger(__name__)

START = 4  # lanes
SLOW = 1.0  # seconds
LOOK_EVERY = 0.02  # seconds between looks whether more lanes would help
LATE = 0.003  # seconds: a look that comes later than this had to wait for the processor

Call = Callable[[bool], object]  # told whether there is room for it; if not, it must come back at once
At = Callable[[float, Callable[[], object]], None]


@dataclass(eq=False, slots=True)
class Run:
    """A call on its thread."""

    owner: Hashable
    call: Call
    began: float
    is_slow: bool = False


class Runway:
    """At most `size` calls of one owner, twice as many of all. Somebody has to `make_way` now and then; calls must not
    raise. `at` starts something at a moment; without it the lanes stay as they are."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic, *, at: At | None = None) -> None:
        self._size, self._clock, self._at = size, clock, at
        self.lanes, self.waiting, self.is_closed = min(START, size), 0, False
        self._waiting: OrderedDict[Hashable, deque[Call]] = OrderedDict()  # whose turn it is comes first
        self._running: set[Run] = set()
        self._young: Counter[Hashable] = Counter()
        self._slow: Counter[Hashable] = Counter()
        self._is_watched = at is None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(2 * size + START, thread_name_prefix="deliver")

    def submit(self, owner: Hashable, call: Call) -> None:
        with self._lock:
            self._waiting.setdefault(owner, deque()).append(call)
            self.waiting += 1
            run = self._next()
            begins_to_wait = self.waiting > 0 and not self._is_watched
            self._is_watched |= begins_to_wait
        if run is not None:
            self._threads.submit(self._work, run)
        if begins_to_wait:
            self._look_later()

    def make_way(self) -> None:
        """Looks for calls that have become slow, and starts others in their place. Turns away whose house is full."""
        with self._lock:
            latest = self._clock() - SLOW
            for run in self._running:
                if not run.is_slow and run.began <= latest:
                    run.is_slow = True
                    self._young[run.owner] -= 1
                    self._slow[run.owner] += 1
            begun = list(iter(self._next, None))
            turned_away = self._turned_away()
        self._start(begun)
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
            begun = list(iter(self._next, None))
        self._start(begun)

    def _look_later(self) -> None:
        assert self._at is not None  # noqa: S101 - without it nobody comes here
        moment = self._clock() + LOOK_EVERY
        self._at(moment, partial(self._look, moment))

    def _look(self, moment: float) -> None:
        self.adapt(self._clock() - moment)
        with self._lock:
            self._is_watched = self.waiting > 0
        if self._is_watched:
            self._look_later()

    def _start(self, runs: list[Run]) -> None:
        for run in runs:
            self._threads.submit(self._work, run)

    def _work(self, run: Run) -> None:
        current: Run | None = run
        while current is not None:
            try:
                current.call(True)
            except Exception:
                log.exception("a call has raised")
            current = self._after(current)

    def _after(self, run: Run) -> Run | None:
        """The next call, for the same thread."""
        with self._lock:
            self._running.remove(run)
            kind = self._slow if run.is_slow else self._young
            kind[run.owner] -= 1
            if not kind[run.owner]:
                del kind[run.owner]
            return self._next()

    def _next(self) -> Run | None:
        """A waiting call that there is room for, of the owner whose turn it is. The lock is held."""
        young = len(self._running) - self._slow.total()
        if self.is_closed or not self.waiting or young >= self.lanes + max(2, self.lanes // 4):
            return None
        share = self._share()
        for _ in range(len(self._waiting)):
            owner = next(iter(self._waiting))
            self._waiting.move_to_end(owner)
            if self._young[owner] < self.lanes and self._young[owner] + self._slow[owner] < share:
                return self._begun(owner)
        return None

    def _share(self) -> int:
        """Calls that one owner may have out now."""
        return min(self._size, 2 * self._size - len(self._running))

    def _begun(self, owner: Hashable) -> Run:
        calls = self._waiting[owner]
        run = Run(owner, calls.popleft(), self._clock())
        self.waiting -= 1
        if not calls:
            del self._waiting[owner]
        self._young[owner] += 1
        self._running.add(run)
        return run

    def _turned_away(self) -> list[Call]:
        """What those owners still want whose slow calls are all that they may have. The lock is held."""
        share = self._share()
        full = [
            owner for owner in self._waiting if self.is_closed or (self._slow[owner] and self._slow[owner] >= share)
        ]
        calls = [call for owner in full for call in self._waiting.pop(owner)]
        self.waiting -= len(calls)
        return calls


@cache
def of_process(size: int) -> Runway:
    """One per process, made after the fork."""
    _allow_descriptors(8 * size)
    return Runway(size, at=metronome().at)


def _allow_descriptors(count: int) -> None:
    """A call takes up to two, of twice `size` calls; as many connections again may be at rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@cache
def metronome() -> Metronome:
    """One per process, made after the fork."""
    return Metronome()
