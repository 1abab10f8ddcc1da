"""Lands what tasks leave behind: a worker process goes on while slow sends are out, a thread of its own waits for them.

What is out when the process is killed is found again by its lease, as ever.
"""

import logging
import threading
import time
from functools import cache

from django.db import connections

from delivery_gateway.flight import Flight

log = logging.getLogger(__name__)

TURN_SECONDS = 0.05  # for each flight with news, one after the other
IDLE_SECONDS = 60.0  # the thread keeps its database connection this long


class Harbour:
    def __init__(self) -> None:
        self._flights: list[Flight] = []
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def leave(self, flight: Flight) -> None:
        """Its task does not touch it again."""
        with self._news:
            self._flights.append(flight)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="harbour", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def wait(self, seconds: float) -> bool:
        """Whether everything has landed within `seconds`."""
        until = time.monotonic() + seconds
        with self._news:
            return self._news.wait_for(lambda: not self._flights, until - time.monotonic())

    def _run(self) -> None:
        try:
            while flights := self._under_way():
                for flight in [one for one in flights if one.has_news()] or flights[:1]:
                    self._land(flight)
        finally:
            connections.close_all()

    def _under_way(self) -> list[Flight]:
        with self._news:
            if not self._news.wait_for(lambda: self._flights, IDLE_SECONDS):
                self._thread = None
            return list(self._flights)

    def _land(self, flight: Flight) -> None:
        try:
            flight.land(TURN_SECONDS)
        except Exception:
            log.exception("outcomes were not recorded; their leases will lapse")
            flight.size = 0
        if not flight.size:
            with self._news:
                self._flights.remove(flight)
                self._news.notify_all()


@cache
def harbour() -> Harbour:
    """One per process, made after the fork."""
    return Harbour()
