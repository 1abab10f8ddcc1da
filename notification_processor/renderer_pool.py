"""The renderers of this process: started when first needed, lent to one thread at a time."""

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from notification_processor.renderer_process import Renderer, Unstartable

SIZE = 2  # so that one tenant's slow template holds up one half at most
WAIT = 0.9  # seconds for a renderer to come free


class Busy(Exception):
    """No renderer came free in time."""

    def __str__(self) -> str:
        return "all renderers are busy"


def ready() -> Renderer:
    """Raises Unstartable."""
    renderer = Renderer()
    renderer.wait()
    return renderer


def is_ready(renderer: Renderer) -> bool:
    """Waits for one that is still starting; false if it ended meanwhile."""
    try:
        renderer.wait()
    except Unstartable:
        return False
    return True


class Place:
    """A place in the pool with its renderer, which may come to its end and be replaced."""

    def __init__(self) -> None:
        self._renderer: Renderer | None = None

    def renderer(self) -> Renderer:
        """One that is ready. Raises Unstartable if not even the second try brings one."""
        if not (self._renderer and is_ready(self._renderer)):
            self._renderer = ready()
        return self._renderer

    def vacate(self) -> None:
        """The renderer is gone already; the next one gets ready while nobody waits for it. Raises Unstartable."""
        self._renderer = None
        self._renderer = Renderer()

    def close(self) -> None:
        renderer, self._renderer = self._renderer, None
        if renderer:
            renderer.close()

    def forget(self) -> None:
        renderer, self._renderer = self._renderer, None
        if renderer:
            renderer.forget()


class Pool:
    """Lends the place used last first, so a process that needs one renderer at a time starts one."""

    def __init__(self, size: int = SIZE) -> None:
        self._places = [Place() for _ in range(size)]
        self.reset()

    def reset(self) -> None:
        self._changed = threading.Condition()
        self._free = list(self._places)
        self._owners: set[str] = set()

    @contextmanager
    def place(self, owner: str) -> Iterator[Place]:
        """`owner`, if any, has one at a time. Raises Busy."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._free and not (owner and owner in self._owners), timeout=WAIT):
                raise Busy
            place = self._free.pop()
            self._owners.add(owner)
        try:
            yield place
        except BaseException:
            place.close()  # it may still be at work on the question
            raise
        finally:
            with self._changed:
                self._owners.discard(owner)
                self._free.append(place)
                self._changed.notify_all()

    def close(self) -> None:
        for place in self._places:
            place.close()

    def forget(self) -> None:
        """In a child of this process."""
        for place in self._places:
            place.forget()
        self.reset()


POOL = Pool()
atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)
