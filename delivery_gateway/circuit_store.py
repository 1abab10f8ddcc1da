"""Where circuits are kept: in Redis, for all workers; in the process while Redis is away, or where there is none.

A circuit is a flat record of numbers: those of its last transition (the names in STORED), and calls and failures
counted by part of the window (`n:<part>`, `f:<part>`), when the last answer came (`ok_at`), and which calls that began
since have hung (`h:<when it began>`): by these moments it is the same in whichever order workers report. A transition
drops all but its own numbers.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings

from delivery_gateway.circuit import WINDOW, Circuit
from traffic_control.redis_client import Away, ask

PART = 5  # seconds, in which calls are counted
KEPT_SECONDS = 20 * 60  # after the last call: longer than the longest pause
KEPT_HERE = 10_000  # circuits in the process; the one unused longest goes first
STORED = ("opened_at", "retry_at", "trips", "is_probing", "turn", "attempts", "failures")
COUNT = """
local part, oldest, ttl, circuits = ARGV[1], tonumber(ARGV[2]), ARGV[3], {}
for i, key in ipairs(KEYS) do
  redis.call('HINCRBY', key, 'n:' .. part, ARGV[4 * i])
  redis.call('HINCRBY', key, 'f:' .. part, ARGV[4 * i + 1])
  local ok_at = tonumber(redis.call('HGET', key, 'ok_at') or '0')
  if tonumber(ARGV[4 * i + 2]) > ok_at then
    ok_at = tonumber(ARGV[4 * i + 2])
    redis.call('HSET', key, 'ok_at', ARGV[4 * i + 2])
  end
  for began in string.gmatch(ARGV[4 * i + 3], '%S+') do redis.call('HSET', key, 'h:' .. began, began) end
  redis.call('EXPIRE', key, ttl)
  circuits[i] = redis.call('HGETALL', key)
  for j = 1, #circuits[i], 2 do
    local kind, at = string.match(circuits[i][j], '^([nfh]):([%d.]+)$')
    if kind and tonumber(at) < (kind == 'h' and ok_at or oldest) then redis.call('HDEL', key, circuits[i][j]) end
  end
end
return circuits
"""
# KEYS: the circuit, the index of those that are open.
SWAP = """
if (redis.call('HGET', KEYS[1], 'turn') or '0') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4] - ARGV[2])
if ARGV[3] == '1' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5]) else redis.call('ZREM', KEYS[2], ARGV[5]) end
return 1
"""


class Key(NamedTuple):
    tenant_id: uuid.UUID
    channel: str
    provider: str


class Tally(NamedTuple):
    attempts: int
    failures: int
    ok_at: float = 0.0  # when the last answer came
    hung: tuple[float, ...] = ()  # when these calls began


Record = Mapping[str, float]


def load(keys: Sequence[Key], now: float) -> list[Circuit]:
    """In one round trip."""
    if not keys:
        return []
    try:
        records = _load_shared(keys)
        HERE.learn(keys, records)
    except Away:
        records = HERE.load(keys)
    return [circuit_of(record, now) for record in records]


def count(tallies: Mapping[Key, Tally], now: float) -> dict[Key, Circuit]:
    """Adds calls; the circuits as they are then. In one round trip."""
    if not tallies:
        return {}
    try:
        records = _count_shared(tallies, now)
    except Away:
        records = HERE.count(tallies, now)
    return {key: circuit_of(record, now) for key, record in zip(tallies, records, strict=True)}


def swap(key: Key, *, before: Circuit, after: Circuit, now: float) -> bool:
    """Writes a transition, unless another writer was first."""
    try:
        return _swap_shared(key, before, after, now)
    except Away:
        return HERE.swap(key, before, after)


def all_open(now: float) -> dict[Key, Circuit]:
    """Every tenant's circuits that are not closed, for metrics."""
    try:
        members: Any = ask(lambda redis: redis.zrangebyscore(_index(), now, "+inf"))
        keys = [_key_of(member.decode()) for member in members]
    except Away:
        keys = HERE.keys()
    return {key: circuit for key, circuit in zip(keys, load(keys, now), strict=True) if circuit.is_open}


def circuit_of(record: Record, now: float) -> Circuit:
    """Of an open circuit the numbers that opened it, else the sums over the window."""
    hangs = 0
    if record.get("opened_at"):
        attempts, failures = record["attempts"], record["failures"]
    else:
        hangs = sum(name[:2] == "h:" and began > record.get("ok_at", 0.0) for name, began in record.items())
        first = _part(now - WINDOW)
        counted = [(name, n) for name, n in record.items() if name[:2] in ("n:", "f:") and int(name[2:]) > first]
        attempts, failures = (sum(n for name, n in counted if name[0] == kind) for kind in "nf")
    return Circuit(
        attempts=int(attempts),
        failures=int(failures),
        hangs=hangs,
        opened_at=record.get("opened_at", 0.0),
        retry_at=record.get("retry_at", 0.0),
        trips=int(record.get("trips", 0)),
        is_probing=bool(record.get("is_probing", 0)),
        turn=int(record.get("turn", 0)),
    )


def _part(moment: float) -> int:
    return int(moment // PART)


def _load_shared(keys: Sequence[Key]) -> list[Record]:
    def question(redis: Any) -> list[dict[bytes, bytes]]:
        with redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(_name(key))
            answer: list[dict[bytes, bytes]] = pipe.execute()
            return answer

    return [{name.decode(): float(value) for name, value in record.items()} for record in ask(question)]


def _count_shared(tallies: Mapping[Key, Tally], now: float) -> list[Record]:
    numbers = [one for tally in tallies.values() for one in (*tally[:3], " ".join(map(str, tally.hung)))]
    about = [_part(now), _part(now - WINDOW), KEPT_SECONDS]
    answer: Any = ask(lambda r: r.eval(COUNT, len(tallies), *map(_name, tallies), *about, *numbers))
    return [_paired(record) for record in answer]


def _paired(flat: Sequence[bytes]) -> Record:
    return {name.decode(): float(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _swap_shared(key: Key, before: Circuit, after: Circuit, now: float) -> bool:
    record: list[str | float] = [part for pair in _record(after).items() for part in pair]
    about: list[str | float] = [before.turn, KEPT_SECONDS, int(after.is_open), now + KEPT_SECONDS, _member(key)]
    return bool(ask(lambda redis: redis.eval(SWAP, 2, _name(key), _index(), *about, *record)))


def _record(circuit: Circuit) -> dict[str, float]:
    return {name: float(getattr(circuit, name)) for name in STORED} | {"turn": circuit.turn}


def _member(key: Key) -> str:
    return ":".join(map(str, key))


def _key_of(member: str) -> Key:
    tenant_id, channel, provider = member.split(":")
    return Key(uuid.UUID(tenant_id), channel, provider)


def _name(key: Key) -> str:
    return f"{settings.REDIS_KEY_PREFIX}circuit:{_member(key)}"


def _index() -> str:
    return f"{settings.REDIS_KEY_PREFIX}circuits:open"


class Here:
    """The same, in this process."""

    def __init__(self) -> None:
        self._records: OrderedDict[Key, dict[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def learn(self, keys: Sequence[Key], records: Sequence[Record]) -> None:
        """Remembers which circuits are open, in case Redis goes away."""
        with self._lock:
            for key, record in zip(keys, records, strict=True):
                self._records.pop(key, None)
                if record.get("opened_at"):
                    self._records[key] = dict(record)

    def load(self, keys: Sequence[Key]) -> list[Record]:
        with self._lock:
            return [dict(self._records.get(key, {})) for key in keys]

    def count(self, tallies: Mapping[Key, Tally], now: float) -> list[Record]:
        with self._lock:
            for key, tally in tallies.items():
                self._add(key, tally, now)
            return [dict(self._records[key]) for key in tallies]

    def swap(self, key: Key, before: Circuit, after: Circuit) -> bool:
        with self._lock:
            if self._records.get(key, {}).get("turn", before.turn) != before.turn:
                return False
            self._records[key] = _record(after)
            return True

    def keys(self) -> list[Key]:
        with self._lock:
            return list(self._records)

    def forget(self) -> None:
        with self._lock:
            self._records.clear()

    def _add(self, key: Key, tally: Tally, now: float) -> None:
        before = self._records.get(key, {})
        ok_at = max(before.get("ok_at", 0.0), tally.ok_at)
        oldest = {"n": _part(now - WINDOW), "f": _part(now - WINDOW), "h": ok_at}
        record = {name: n for name, n in before.items() if name[1] != ":" or float(name[2:]) >= oldest[name[0]]}
        record |= {"ok_at": ok_at} | {f"h:{began}": began for began in tally.hung}
        for kind, number in zip("nf", tally[:2], strict=True):
            name = f"{kind}:{_part(now)}"
            record[name] = record.get(name, 0) + number
        self._records[key] = record
        self._records.move_to_end(key)
        while len(self._records) > KEPT_HERE:
            self._records.popitem(last=False)


HERE = Here()
