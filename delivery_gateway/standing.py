"""What a runway knows of those who are called, and how many calls it therefore lets each have out.

Whoever answers is trusted, and may have one more call out with each call that goes well: twice as many with each round
trip. Of whom nothing is known, or nothing but silence, has FIRST calls out, among the newcomers: they have places and
lanes of their own, so that any number of them that hang leaves the others theirs. Who is slow is not silent: it is
given time by how long its answers took.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST = 2  # calls of an owner that has not answered lately
FRESH = 20.0  # seconds, longer than a call takes, for which an answer says that there will be others
SLOW = 1.0  # seconds: such a call waits for its provider
PATIENCE = 2.0  # times as long as answers took, and SLOW at least: whoever has not answered a call after that is silent
GLANCE = 0.1  # seconds after which a call leaves its lane when there is no reason yet to expect its answer soon
NEVER = float("-inf")

Call = Callable[[bool], object]  # told whether there is room for it; if not, it must come back at once


@dataclass(eq=False, slots=True)
class Group:
    """The trusted, or the newcomers. `turns`: those with a call that may begin; whose turn it is comes first."""

    turns: deque["Owner"] = field(default_factory=deque)
    out: int = 0  # calls under way
    young: int = 0  # of these, those in a lane
    slow: int = 0


@dataclass(eq=False, slots=True)
class Owner:
    """Who is called. `group` is the one whose turns it takes."""

    group: Group
    calls: list[Call] = field(default_factory=list)  # that wait
    is_parked: bool = False  # has calls that wait, and no room for them
    room: int = FIRST  # calls that it may have out
    out: int = 0
    young: int = 0
    slow: int = 0
    answered_at: float = NEVER
    took: float = 0.0  # seconds of its last answer; one that is quicker takes back no more than half at once

    @property
    def is_idle(self) -> bool:
        return not self.out and not self.calls

    def room_at(self, now: float) -> int:
        if self.room > FIRST and now - self.answered_at > FRESH:
            self.room = FIRST
        return self.room

    def answer(self, now: float, took: float) -> None:
        self.answered_at, self.took = now, max(took, self.took / 2)
        self.room += 1

    def fall_silent(self) -> None:
        self.answered_at, self.room = NEVER, FIRST

    def move_to(self, group: Group) -> None:
        if self.group is not group:
            if self.calls and not self.is_parked:
                self.group.turns.remove(self)
                group.turns.append(self)
            self.group = group


@dataclass(eq=False, slots=True)
class Run:
    """A call on its thread. `group` is the one that its owner was in when it began."""

    owner: Owner
    group: Group
    call: Call
    began: float
    leaves_lane_at: float
    is_young: bool = True
    is_slow: bool = False

    def is_unanswered(self, now: float) -> bool:
        """Whether its owner has been silent since it began, and for too long."""
        return self.owner.answered_at <= self.began and now - self.began >= max(SLOW, PATIENCE * self.owner.took)

    def grow_older(self, now: float) -> None:
        if self.is_young and now >= self.leaves_lane_at:
            self.is_young = False
            self.group.young -= 1
            self.owner.young -= 1
        if not self.is_slow and now >= self.began + SLOW:
            self.is_slow = True
            self.owner.slow += 1
            self.group.slow += 1

    def end(self) -> None:
        self.owner.out -= 1
        self.group.out -= 1
        if self.is_young:
            self.owner.young -= 1
            self.group.young -= 1
        if self.is_slow:
            self.owner.slow -= 1
            self.group.slow -= 1


def begun(owner: Owner, now: float) -> Run:
    """The first of its calls that wait, under way."""
    group = owner.group
    owner.out += 1
    owner.young += 1
    group.out += 1
    group.young += 1
    return Run(owner, group, owner.calls.pop(0), now, now + (SLOW if owner.room > FIRST else GLANCE))
