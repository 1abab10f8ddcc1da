"""Asking the database without waiting for it: a server that hangs would hold a thread for good."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")

_asking: threading.Thread | None = None


class TookTooLong(Exception):
    """No answer in time. The connection is given up; the question goes on in its own thread until it ends."""


def ask_database(question: Callable[[], T], *, seconds: float) -> T:
    """What `question` finds in the database. Raises TookTooLong, at once while an earlier one hangs.

    It is asked in a thread of its own, on this thread's connection, which is left to it when the time is up.
    """
    global _asking
    if _asking is not None and _asking.is_alive():
        raise TookTooLong
    connection = connections["default"]
    inquiry = _Inquiry(question, connection)
    connection.inc_thread_sharing()
    inquiry.start()
    inquiry.join(seconds)
    if inquiry.is_given_up():
        _asking = inquiry
        del connections["default"]
        raise TookTooLong
    connection.dec_thread_sharing()
    answer: T = inquiry.answer()
    return answer


class _Inquiry(threading.Thread):
    def __init__(self, question: Callable[[], Any], connection: Any) -> None:
        super().__init__(daemon=True)
        self._question, self._connection = question, connection
        self._found: Any = None
        self._fault: Exception | None = None
        self._is_done = self._is_left = False
        self._lock = threading.Lock()

    def run(self) -> None:
        connections["default"] = self._connection
        try:
            self._found = self._question()
        except Exception as exc:
            self._fault = exc
        with self._lock:
            self._is_done = True
            if not self._is_left:
                return
        self._connection.close()

    def is_given_up(self) -> bool:
        """Whether the time was up before the answer came; then the thread closes the connection itself."""
        with self._lock:
            self._is_left = not self._is_done
            return self._is_left

    def answer(self) -> Any:
        if self._fault is not None:
            raise self._fault
        return self._found
