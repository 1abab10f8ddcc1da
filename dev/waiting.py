"""Waiting for something to become true, with an end to it."""

import time
from collections.abc import Callable

STEP = 0.03


def wait_until(is_so: Callable[[], bool], *, seconds: float, give_up: Callable[[], bool] = lambda: False) -> bool:
    """Ask again and again; False when the time is over, or at once when `give_up` says that it cannot happen."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if give_up() or time.monotonic() > deadline:
            return False
        time.sleep(STEP)
    return True
