"""The rules of a circuit: whether a tenant's provider is to be tried. Pure: facts and the time in, a circuit out.

A closed circuit lets everything pass. At least LEAST_CALLS within WINDOW, FAILING_SHARE of them failures, open it, and
so do LEAST_HANGS that have begun since the last answer, however long ago that was: nothing is sent for FIRST_PAUSE.
Then one message goes as a probe. If it fails, the next pause is twice as long, up to LONGEST_PAUSE; if not, the circuit
closes and forgets.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

WINDOW = 60.0  # seconds
LEAST_CALLS = 10
FAILING_SHARE = 0.5
LEAST_HANGS, HANG = 3, 2.5  # calls; seconds from which one that failed counts as such
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0  # seconds
PROBE_SECONDS = 30.0  # longer than a send can take, its wait for a thread included; then another message may probe
LOOK_AGAIN = 5.0  # seconds until a message that met a probe is tried again
LONGEST_SPREAD = 60.0  # seconds over which the refused come back: not all in the moment the circuit may close


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # a probe is under way, or the next message will be one


@dataclass(frozen=True, slots=True)
class Circuit:
    """`attempts` and `failures` are those of the last WINDOW, once it is open those that opened it. Times: POSIX."""

    attempts: int = 0
    failures: int = 0
    hangs: int = 0  # that have begun since the last answer, while it is closed
    opened_at: float = 0.0  # 0: closed
    retry_at: float = 0.0  # when the next probe may go
    trips: int = 0  # openings in a row
    is_probing: bool = False
    turn: int = 0  # counts transitions, so that of two writers one notices the other

    @property
    def is_open(self) -> bool:
        return self.opened_at > 0

    def may_probe(self, now: float) -> bool:
        return self.is_open and now >= self.retry_at

    def state(self, now: float) -> State:
        if not self.is_open:
            return State.CLOSED
        return State.HALF_OPEN if self.is_probing or self.may_probe(now) else State.OPEN

    def wait(self, now: float, *, spread: float) -> float:
        """Seconds that a refused message stays away; `spread` is from 0 to 1, 0 for the one that shall probe."""
        until_probe = LOOK_AGAIN if self.is_probing else max(0.0, self.retry_at - now)
        return until_probe + spread * min(pause_after(self.trips), LONGEST_SPREAD)


def pause_after(trips: int) -> float:
    return float(min(FIRST_PAUSE * 2 ** max(0, trips - 1), LONGEST_PAUSE))


def is_failing(circuit: Circuit) -> bool:
    """Whether a closed circuit has to open."""
    are_many = circuit.attempts >= LEAST_CALLS and circuit.failures >= FAILING_SHARE * circuit.attempts
    return not circuit.is_open and (are_many or circuit.hangs >= LEAST_HANGS)


def opened(circuit: Circuit, now: float) -> Circuit:
    """After too many failures, or after a probe that failed."""
    trips = circuit.trips + 1
    return replace(
        circuit,
        opened_at=circuit.opened_at or now,
        retry_at=now + pause_after(trips),
        trips=trips,
        is_probing=False,
        turn=circuit.turn + 1,
    )


def probing(circuit: Circuit, now: float) -> Circuit:
    return replace(circuit, retry_at=now + PROBE_SECONDS, is_probing=True, turn=circuit.turn + 1)


def closed(circuit: Circuit) -> Circuit:
    return Circuit(turn=circuit.turn + 1)
