"""What must stay flat while the product works: taken every few seconds, and judged by its trend."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import trees
from chaos.roles import Roles
from chaos.servers import Servers

PROC = Path("/proc")
WINDOWS = 6
TABLES = """
    SELECT coalesce(p.parent, c.relname), sum(pg_total_relation_size(c.oid))::float / 1048576
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN (SELECT i.inhrelid, r.relname AS parent FROM pg_inherits i JOIN pg_class r ON r.oid = i.inhparent) p
        ON p.inhrelid = c.oid
    WHERE c.relkind = 'r' AND n.nspname = 'public' GROUP BY 1
"""
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
MESSAGES = "SELECT count(*) FROM delivery_gateway_notificationlog"


@dataclass(frozen=True)
class Sample:
    """`values` by name, such as "email: memory, MB"."""

    at: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Kind:
    """How much a value may grow over the judged time: that share of its middle, or `floor`, whichever is more."""

    unit: str
    share: float
    floor: float


MEMORY, FILES = Kind("memory, MB", 0.05, 6.0), Kind("open files", 0.15, 10.0)
CONNECTED, KEYS, PER_MESSAGE = Kind("connections", 0.15, 8.0), Kind("keys", 0.1, 20.0), Kind("KB a message", 0.1, 0.3)
KINDS: Sequence[Kind] = (MEMORY, FILES, CONNECTED, KEYS, PER_MESSAGE)


@dataclass(frozen=True)
class Trend:
    """Of one value: its middle, and by how much its straight line rises over the judged time."""

    name: str
    kind: Kind
    middle: float
    growth: float

    @property
    def allowed(self) -> float:
        return max(self.kind.floor, self.kind.share * self.middle)

    @property
    def is_flat(self) -> bool:
        return self.growth <= self.allowed


def sample(roles: Roles, servers: Servers) -> Sample:
    """Of each role, memory and files of all its processes together."""
    values: dict[str, float] = {}
    roots = {name: child.process.pid for name, child in dict(roles.children).items()}
    found = trees(roots.values())
    for name, root in roots.items():
        values[f"{name}: {MEMORY.unit}"] = sum(map(memory, found[root]))
        values[f"{name}: {FILES.unit}"] = sum(map(files, found[root]))
    values[f"PostgreSQL: {CONNECTED.unit}"] = one_number(servers, CONNECTIONS)
    values[f"Valkey: {KEYS.unit}"] = float(servers.broker(lambda one: one.dbsize()))
    messages = max(1.0, one_number(servers, MESSAGES))
    for table, size in servers.ask(TABLES):
        if size > 1:
            values[f"{table}: {PER_MESSAGE.unit}"] = 1024 * size / messages
    return Sample(time.time(), values)


def one_number(servers: Servers, question: str) -> float:
    found = servers.ask(question)
    return float(found[0][0]) if found else 0.0


def memory(pid: int) -> float:
    """MB of its own and its part of what it shares, so that forked processes do not count twice; 0 when it ended."""
    with suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def files(pid: int) -> float:
    with suppress(OSError):
        return float(sum(1 for _ in (PROC / str(pid) / "fd").iterdir()))
    return 0.0


def trends(samples: Sequence[Sample], *, warm_up: float) -> list[Trend]:
    """After the first `warm_up` seconds, of all values that were there at least half of the time."""
    judged = [one for one in samples if one.at - samples[0].at >= warm_up]
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in judged:
        for name, value in one.values.items():
            series[name].append((one.at, value))
    return [trend(name, points) for name, points in sorted(series.items()) if len(points) > len(judged) / 2]


def trend(name: str, points: Sequence[tuple[float, float]]) -> Trend:
    kind = next(one for one in KINDS if name.endswith(one.unit))
    values = sorted(value for _, value in points)
    return Trend(name, kind, values[len(values) // 2], slope(troughs(points)) * (points[-1][0] - points[0][0]))


def troughs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The lowest of each of WINDOWS equal parts: work comes in bursts, and what leaks lifts the calm between them."""
    began, ended = points[0][0], points[-1][0]
    part = max(1e-9, (ended - began) / WINDOWS)
    lowest: dict[int, tuple[float, float]] = {}
    for at, value in points:
        window = min(WINDOWS - 1, int((at - began) / part))
        if window not in lowest or value < lowest[window][1]:
            lowest[window] = (at, value)
    return list(lowest.values())


def slope(points: Iterable[tuple[float, float]]) -> float:
    """By least squares, a second."""
    listed = list(points)
    x = sum(at for at, _ in listed) / len(listed)
    y = sum(value for _, value in listed) / len(listed)
    spread = sum((at - x) ** 2 for at, _ in listed)
    return sum((at - x) * (value - y) for at, value in listed) / spread if spread else 0.0
