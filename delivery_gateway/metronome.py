"""Starts things at their moment, from one thread a process: whoever waits for a turn holds no other thread."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from functools import cache


class Metronome:
    """`at(moment, start)` calls `start` once `time.monotonic()` has reached `moment`. `start` must be quick."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()  # of two with the same moment, the first comes first
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def at(self, moment: float, start: Callable[[], object]) -> None:
        with self._news:
            heapq.heappush(self._waiting, (moment, next(self._numbers), start))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="metronome", daemon=True)
                self._thread.start()
            self._news.notify()

    def _run(self) -> None:
        while True:
            self._next()()

    def _next(self) -> Callable[[], object]:
        with self._news:
            while not self._waiting or self._waiting[0][0] > time.monotonic():
                self._news.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)
            return heapq.heappop(self._waiting)[2]


@cache
def of_process() -> Metronome:
    """One per process, made after the fork."""
    return Metronome()
