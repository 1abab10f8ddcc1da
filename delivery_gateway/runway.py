"""Threads for sending. A provider that hangs takes neither the threads nor the time of the others.

At most `size` calls of one owner run at a time, and a quarter more of all owners together, who take turns. A call that
has taken SLOW seconds makes room for another one, as long as fewer than MOST_SLOW do.
"""

import logging
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

log = logging.getLogger(__name__)

SLOW = 1.0  # seconds
MOST_SLOW = 64

Call = Callable[[], object]


@dataclass(eq=False, slots=True)
class Run:
    """A call on its thread."""

    owner: Hashable
    call: Call
    began: float
    is_slow: bool = False


class Runway:
    """Somebody has to `make_way` now and then; calls must not raise."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._each, self._all, self._clock = size, size + max(2, size // 4), clock
        self._waiting: OrderedDict[Hashable, deque[Call]] = OrderedDict()  # whose turn it is comes first
        self._running: set[Run] = set()
        self._quick: Counter[Hashable] = Counter()
        self._slow: Counter[Hashable] = Counter()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(self._all + MOST_SLOW, thread_name_prefix="deliver")

    def submit(self, owner: Hashable, call: Call) -> None:
        with self._lock:
            self._waiting.setdefault(owner, deque()).append(call)
            run = self._next()
        if run is not None:
            self._threads.submit(self._work, run)

    def slow_calls(self, owner: Hashable) -> int:
        return self._slow[owner]

    def crowd(self) -> int:
        """Calls that run or wait for a thread, without the slow ones."""
        with self._lock:
            return self._quick.total() + sum(map(len, self._waiting.values()))

    def make_way(self) -> None:
        """Looks for calls that have become slow, and starts others in their place."""
        with self._lock:
            latest = self._clock() - SLOW
            slow = [run for run in self._running if not run.is_slow and run.began <= latest]
            for run in slow[: MOST_SLOW - self._slow.total()]:
                run.is_slow = True
                self._quick[run.owner] -= 1
                self._slow[run.owner] += 1
            instead = [begun for _ in slow if (begun := self._next())]
        for run in instead:
            self._threads.submit(self._work, run)

    def _work(self, run: Run) -> None:
        current: Run | None = run
        while current is not None:
            try:
                current.call()
            except Exception:
                log.exception("a call has raised")
            current = self._after(current)

    def _after(self, run: Run) -> Run | None:
        """The next call, for the same thread."""
        with self._lock:
            self._running.remove(run)
            kind = self._slow if run.is_slow else self._quick
            kind[run.owner] -= 1
            if not kind[run.owner]:
                del kind[run.owner]
            return self._next()

    def _next(self) -> Run | None:
        """A waiting call that there is room for, of the owner whose turn it is. The lock is held."""
        if self._quick.total() >= self._all:
            return None
        for _ in range(len(self._waiting)):
            owner = next(iter(self._waiting))
            self._waiting.move_to_end(owner)
            if self._quick[owner] < self._each:
                return self._begun(owner)
        return None

    def _begun(self, owner: Hashable) -> Run:
        calls = self._waiting[owner]
        run = Run(owner, calls.popleft(), self._clock())
        if not calls:
            del self._waiting[owner]
        self._quick[owner] += 1
        self._running.add(run)
        return run
