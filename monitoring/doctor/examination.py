"""Asks all checks side by side, and waits for none of them longer than it was told to."""

import queue
import threading
import time
from collections.abc import Sequence

from django.db import connections

from monitoring.doctor.verdict import Check, Verdict

AT_ONCE = 16


def examine(checks: Sequence[Check], *, seconds: float) -> list[Verdict]:
    """In the order of the checks, within about `seconds`. What hangs is left behind, in threads that end with us."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(checks)):
        waiting.put(number)
    found: dict[int, list[Verdict]] = {}
    threads = [
        threading.Thread(target=_ask_on, args=(checks, waiting, found), daemon=True)
        for _ in range(min(AT_ONCE, len(checks)))
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = f"no answer within {seconds:g} s"
    answers = dict(found)
    return [one for number, check in enumerate(checks) for one in answers.get(number, [check.unanswered(late)])]


def _ask_on(checks: Sequence[Check], waiting: "queue.SimpleQueue[int]", found: dict[int, list[Verdict]]) -> None:
    try:
        while True:
            number = waiting.get_nowait()
            found[number] = _answer(checks[number])
    except queue.Empty:
        return
    finally:
        connections.close_all()


def _answer(check: Check) -> list[Verdict]:
    try:
        return list(check.question())
    except Exception as exc:  # whatever it was, nobody knows now
        words = str(exc).strip().splitlines()
        return [check.unanswered(f"{type(exc).__name__}: {words[0]}"[:200] if words else type(exc).__name__)]
