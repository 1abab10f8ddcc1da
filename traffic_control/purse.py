"""A limit that many processes share, asked for in Redis once for many requests of whoever asks often.

A process takes up to a hundredth of the quota at a time: as many turns as the caller used in the last second or so.
What is left after HOLD seconds is given back with the next question. Nobody gets more than the quota; a process that
ends, or a caller who falls silent, leaves at most that hundredth unused until its window is over.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from traffic_control.rate_limit import Allowance, Limit, spend

HOLD = 1.0  # seconds
SHARE = 100  # a process holds at most this part of a quota...
NEAR_THE_END = 20  # ... and at most this part of what is left of it
KEPT = 10_000  # callers


@dataclass(slots=True)
class Held:
    """Turns that were counted in Redis and are this process's to give out."""

    left: int
    taken: int
    allowance: Allowance
    since: float

    def next(self, now: float) -> Allowance | None:
        """None when there is nothing left, or it was held too long."""
        if self.left == 0 or now - self.since > HOLD:
            return None
        self.left -= 1
        more_in = max(0.0, self.allowance.more_in - (now - self.since))
        return Allowance(1, self.allowance.remaining + self.left, more_in, self.allowance.part)

    def wish(self, limit: Limit, now: float) -> int:
        """How many to take next: twice as many when these did not last, else as many as were used."""
        used = self.taken - self.left
        wanted = 2 * used if now - self.since <= HOLD else used
        return max(1, min(wanted, limit.quota // SHARE, self.allowance.remaining // NEAR_THE_END))


class Purse:
    """One per process and kind of limit. `clock` is for tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}

    def spend(self, key: str, limit: Limit) -> Allowance | None:
        """Spends one of the key's quota if there is one left; None when Redis is away."""
        now = self._clock()
        with self._lock:
            held = self._held.get(key)
            if held is not None and (granted := held.next(now)):
                return granted
            self._held.pop(key, None)  # whoever comes while we ask, asks for itself
        return self._refill(key, limit, held, now)

    def _refill(self, key: str, limit: Limit, held: Held | None, now: float) -> Allowance | None:
        wish = held.wish(limit, now) if held else 1
        unused, part = (held.left, held.allowance.part) if held else (0, 0)
        answer = spend(key, limit, turns=wish, unused=unused, part=part)
        if answer is None or not answer.is_granted:
            return answer
        fresh = Held(left=answer.granted - 1, taken=answer.granted, allowance=answer, since=now)
        with self._lock:
            self._keep(key, fresh)
        return Allowance(1, answer.remaining + fresh.left, answer.more_in, answer.part)

    def _keep(self, key: str, fresh: Held) -> None:
        if other := self._held.get(key):  # another thread has refilled meanwhile: its turns stay good, and are used up
            fresh.left, fresh.taken = fresh.left + other.left, fresh.taken + other.taken
        self._held[key] = fresh
        while len(self._held) > KEPT:
            del self._held[next(iter(self._held))]
