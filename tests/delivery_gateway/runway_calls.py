"""Calls on a runway that end when the test says so."""

import threading

from delivery_gateway import standing
from tests.flow.stack import wait_until


class Calls:
    """Calls that are noted when they begin and end when they are let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.turned_away: dict[str, None] = {}
        self.hung: set[str] = set()
        self.gates: dict[str, threading.Event] = {}

    def of(self, name):
        self.gates[name] = threading.Event()

        def call(has_room):
            self.begun.append(name)
            if not has_room:
                self.turned_away[name] = None
            return has_room and self.gates[name].wait(20) and name not in self.hung

        return call

    def end(self, *names):
        for name in names or list(self.gates):
            self.gates[name].set()

    def time_out(self, *names):
        """They end without an answer."""
        self.hung |= set(names)
        self.end(*names)

    def under_way(self):
        return [name for name in self.begun if name not in self.turned_away and not self.gates[name].is_set()]

    def wait_for(self, count):
        wait_until(lambda: len(self.begun) >= count, seconds=5, what=f"call {count}")
        return self.begun


def prove(way, *owners, times=4):
    """They have answered so often, at once."""
    for owner in owners:
        for _ in range(times):
            answered = threading.Event()
            way.submit(owner, lambda _, answered=answered: answered.set() is None)
            assert answered.wait(5)
    wait_until(lambda: way._owners[owners[-1]].is_idle, seconds=5, what="the last answer")


def submit(way, calls, owner, count):
    for number in range(count):
        way.submit(owner, calls.of(f"{owner}{number}"))


def answer_slowly(way, calls, clock, seconds):
    """All calls that are out, once they have been out so long. How many these were."""
    clock.now += standing.SLOW
    way.make_way()
    clock.now += seconds - standing.SLOW
    way.make_way()
    runs = set(way._running)
    wait_until(lambda: len(calls.under_way()) == len(runs), seconds=5, what="the begin of the last")
    calls.end(*calls.under_way())
    wait_until(lambda: not runs & way._running, seconds=5, what="the answers")
    return len(runs)
