"""One thread per process that does a small thing soon, once for all who asked for it meanwhile."""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

REST = 0.003  # seconds after each round, in which further requests gather; the first one after a silence does not wait
IDLE_SECONDS = 30.0  # an idle thread ends after this long


class Bell:
    """`ring` must not block for long. What is asked for and not yet done when the process ends is lost."""

    def __init__(self, ring: Callable[[str], object]) -> None:
        self._ring = ring
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """As at the start of the process: a forked child has none of its parent's threads."""
        self._wanted: dict[str, None] = {}  # in the order they were asked for
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, name: str) -> None:
        """Returns at once."""
        with self._news:
            self._wanted[name] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()
            self._news.notify()

    def _run(self) -> None:
        while names := self._gathered():
            for name in names:
                try:
                    self._ring(name)
                except Exception:
                    log.exception("could not ring for %s", name)
            time.sleep(REST)

    def _gathered(self) -> list[str]:
        """Waits for somebody to ask. Nothing after a long silence: the thread ends, the next caller starts another."""
        with self._news:
            self._news.wait_for(lambda: self._wanted, IDLE_SECONDS)
            names = list(self._wanted)
            self._wanted.clear()
            if not names:
                self._thread = None
            return names
