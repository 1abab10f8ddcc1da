"""The circuit breaker: one circuit for each tenant, channel and provider, shared by all workers.

A worker asks a `Gate` once a batch which messages may go, and reports what came of them with each flush. A message
that is refused costs nothing: it is scheduled for when the circuit may close. Rules are in `circuit`, state in
`circuit_store`.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from delivery_gateway import circuit, circuit_store
from delivery_gateway.circuit import Circuit, State
from delivery_gateway.circuit_store import Key, Tally
from delivery_gateway.contract import Ambiguous, DeliveryError, Receipt, Throttled, Transient
from tenants.providers import PROVIDERS

log = logging.getLogger(__name__)

REPORT_AT = 100  # successes that may wait for each other; a failure is told at once


@dataclass(frozen=True, slots=True)
class Entry:
    """Whether a message may go: `wait` is None, or the seconds it has to stay away."""

    wait: float | None = None
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a message that was let through."""

    key: Key
    answer: Receipt | DeliveryError
    is_probe: bool
    began: float = 0.0  # POSIX
    took: float = 0.0  # seconds

    @property
    def is_hang(self) -> bool:
        return self.took >= circuit.HANG and is_failure(self.answer)


GO, PROBE = Entry(), Entry(is_probe=True)


class Gate:
    """One task's way to the circuits. Only `refusal` may be called from other threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: dict[Key, Circuit] = {}
        self._untold: dict[Key, list[Result]] = {}

    def admit(self, keys: Sequence[Key]) -> list[Entry]:
        """One answer for each message, in order. Of those whose circuit is to be probed, the first goes."""
        now, distinct = self._clock(), list(dict.fromkeys(keys))
        self._known |= zip(distinct, circuit_store.load(distinct, now), strict=True)
        probes = {key for key in distinct if self._known[key].may_probe(now) and self._take_probe(key, now)}
        entries, refused = [], set[Key]()
        for key in keys:
            if key in probes:
                probes.discard(key)
                entries.append(PROBE)
            elif not self._known[key].is_open:
                entries.append(GO)
            else:
                entries.append(Entry(self._wait(key, now, is_first=key not in refused)))
                refused.add(key)
        return entries

    def refusal(self, key: Key) -> float | None:
        """Asked just before a message that was let through is sent. Seconds to stay away if it has opened meanwhile."""
        return self._wait(key, self._clock(), is_first=False) if self._known[key].is_open else None

    def report(self, results: Iterable[Result], *, is_last: bool) -> None:
        """Counts the results, and opens and closes circuits. `is_last`: nothing else is under way."""
        now = self._clock()
        for result in results:
            if result.is_probe:
                self._judge_probe(result, now)
            elif not isinstance(result.answer, Throttled):  # neither good nor bad
                self._untold.setdefault(result.key, []).append(result)
        untold = [result for results in self._untold.values() for result in results]
        if is_last or len(untold) >= REPORT_AT or any(is_failure(result.answer) for result in untold):
            self._tell(now)

    def _tell(self, now: float) -> None:
        tallies = {key: _tally(results) for key, results in self._untold.items()}
        self._untold.clear()
        for key, counted in circuit_store.count(tallies, now).items():
            self._known[key] = counted
            if circuit.is_failing(counted):
                self._move(key, circuit.opened(counted, now), now)

    def _judge_probe(self, result: Result, now: float) -> None:
        probed = self._known[result.key]
        after = circuit.opened(probed, now) if is_failure(result.answer) else circuit.closed(probed)
        self._move(result.key, after, now)

    def _take_probe(self, key: Key, now: float) -> bool:
        return self._move(key, circuit.probing(self._known[key], now), now)

    def _move(self, key: Key, after: Circuit, now: float) -> bool:
        """Whether this worker made the transition; if not, another one was first, and what it did counts."""
        before = self._known[key]
        is_ours = circuit_store.swap(key, before=before, after=after, now=now)
        self._known[key] = after if is_ours else circuit_store.load([key], now)[0]
        if is_ours:
            ids = {"tenant": key.tenant_id, "channel": key.channel, "outcome": after.state(now)}
            log.warning("circuit of %s: %d of %d failed", key.provider, before.failures, before.attempts, extra=ids)
        return is_ours

    def _wait(self, key: Key, now: float, *, is_first: bool) -> float:
        spread = 0.0 if is_first else random.random()  # noqa: S311 - spreads load, guards nothing
        return self._known[key].wait(now, spread=spread)


def is_failure(answer: Receipt | DeliveryError) -> bool:
    """The provider's fault. A refusal of the message, the address or the credentials is an answer like any other."""
    return isinstance(answer, Transient | Ambiguous)


def _tally(results: Sequence[Result]) -> Tally:
    answers = [one.began + one.took for one in results if not is_failure(one.answer)]
    hung = tuple(one.began for one in results if one.is_hang)
    return Tally(len(results), len(results) - len(answers), max(answers, default=0.0), hung)


@dataclass(frozen=True, slots=True)
class CircuitState:
    """A circuit as people see it."""

    tenant_id: uuid.UUID
    channel: str
    provider: str
    state: State
    attempts: int
    failures: int
    opened_at: datetime | None
    retry_at: datetime | None

    @property
    def failure_ratio(self) -> float:
        return round(self.failures / self.attempts, 3) if self.attempts else 0.0


def states(tenant_id: uuid.UUID) -> list[CircuitState]:
    """The tenant's circuits that are not closed, or have seen a call in the last minute. One round trip."""
    now = time.time()
    keys = [Key(tenant_id, channel, provider.name) for channel, known in PROVIDERS.items() for provider in known]
    found = zip(keys, circuit_store.load(keys, now), strict=True)
    return [_shown(key, one, now) for key, one in found if one.is_open or one.attempts]


def open_circuits() -> list[CircuitState]:
    """Every tenant's circuits that are not closed, for metrics."""
    now = time.time()
    return [_shown(key, one, now) for key, one in circuit_store.all_open(now).items()]


def _shown(key: Key, one: Circuit, now: float) -> CircuitState:
    return CircuitState(
        *key,
        state=one.state(now),
        attempts=one.attempts,
        failures=one.failures,
        opened_at=_moment(one.opened_at) if one.is_open else None,
        retry_at=_moment(one.retry_at) if one.is_open else None,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
