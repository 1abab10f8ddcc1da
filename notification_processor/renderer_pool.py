"""The renderers of this process: started when first needed, lent to one thread at a time."""

import atexit
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from notification_processor.renderer_process import Gone, Renderer, Unstartable, bury

SIZE = 2  # so that one tenant's slow template holds up one half at most
WAIT = 0.9  # seconds for a renderer to come free


class Busy(Exception):
    """No renderer came free in time."""

    def __str__(self) -> str:
        return "all renderers are busy"


@dataclass(slots=True, eq=False)
class Patience:
    """Until when, on the monotonic clock, somebody waits for whatever a template may be the reason of."""

    until: float = math.inf


ENDLESS = Patience()


class Place:
    """A place in the pool with its renderer, which may come to its end and be replaced."""

    def __init__(self) -> None:
        self._renderer: Renderer | None = None
        self._is_asked = False
        self._is_after_a_stop = False  # what starts, starts because a template was stopped
        self.has_lost_one = False  # so the next may well go, too

    @property
    def is_ready(self) -> bool:
        return bool(self._renderer and self._renderer.is_ready)

    def start(self, *, after_a_stop: bool = False) -> Renderer:
        """Gets one ready, while nobody waits for it. Raises Unstartable."""
        if self._renderer is None:
            self._renderer, self._is_after_a_stop = Renderer(), after_a_stop
        return self._renderer

    def renderer(self, patience: Patience = ENDLESS) -> Renderer:
        """One that is ready. A start that no template is the reason of takes nothing of the patience.

        Raises Starting, or Unstartable if not even the second try brings one.
        """
        began = time.monotonic()
        try:
            renderer = self._ready(patience)
        except Unstartable:
            renderer = self._ready(patience)
        if not self._is_after_a_stop:
            patience.until += time.monotonic() - began
        return renderer

    def _ready(self, patience: Patience) -> Renderer:
        renderer = self.start()
        try:
            renderer.wait(patience.until if self._is_after_a_stop else math.inf)
        except Unstartable:
            self._renderer = None
            raise
        return renderer

    def ask(self, question: bytes, *, seconds: float, patience: Patience = ENDLESS) -> Any:
        """`seconds` for the answer, if there is so much patience. Raises Gone, Starting or Unstartable."""
        renderer = self.renderer(patience)
        self._is_asked = True
        try:
            given = renderer.ask(question, seconds=min(seconds, patience.until - time.monotonic()))
        except Gone as end:
            self.vacate(was_stopped=not end.has_left)
            raise
        self._is_asked = False
        return given

    def vacate(self, *, was_stopped: bool) -> None:
        """The renderer is gone already; the next one gets ready while nobody waits for it. Raises Unstartable."""
        self._renderer, self._is_asked, self.has_lost_one = None, False, was_stopped
        self.start(after_a_stop=was_stopped)

    def clear(self) -> None:
        """Whoever may still be at work on a question is ended."""
        if self._is_asked:
            self.close()

    def close(self) -> None:
        renderer, self._renderer, self._is_asked = self._renderer, None, False
        if renderer:
            renderer.close()

    def forget(self) -> None:
        renderer, self._renderer, self._is_asked = self._renderer, None, False
        if renderer:
            renderer.forget()


class Pool:
    """Lends the place used last first, so a process that needs one renderer at a time starts one.

    Where one has been stopped, the other places get theirs ready, too: the next one to be stopped costs nobody a start.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._places = [Place() for _ in range(size)]
        self.reset()

    def reset(self) -> None:
        self._changed = threading.Condition()
        self._free = list(self._places)
        self._owners: set[str] = set()

    @contextmanager
    def place(self, owner: str, patience: Patience = ENDLESS) -> Iterator[Place]:
        """`owner`, if any, has one at a time. Raises Busy."""
        place = self._taken(owner, min(WAIT, patience.until - time.monotonic()))
        try:
            yield place
        finally:
            place.clear()
            self._give_back(place, owner)

    def _taken(self, owner: str, seconds: float) -> Place:
        with self._changed:
            if not self._changed.wait_for(lambda: self._free and not (owner and owner in self._owners), seconds):
                raise Busy
            place = next((free for free in reversed(self._free) if free.is_ready), self._free[-1])
            self._free.remove(place)
            self._owners.add(owner)
            return place

    def _give_back(self, place: Place, owner: str) -> None:
        with self._changed:
            self._owners.discard(owner)
            for other in self._free if place.has_lost_one else ():
                with suppress(Unstartable):  # whoever needs it is told
                    other.start(after_a_stop=True)
            place.has_lost_one = False
            self._free.append(place)
            self._changed.notify_all()

    def close(self) -> None:
        for place in self._places:
            place.close()
        bury(1.0)

    def forget(self) -> None:
        """In a child of this process."""
        for place in self._places:
            place.forget()
        self.reset()


POOL = Pool()
atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)
