"""Who used the processor: seconds of whole process trees, and what anything else on the machine took meanwhile.

Reads /proc, so it works on Linux only. A tree's seconds are those of its living processes and of the children they
have reaped, so pool children and database backends that come and go are charged to their parent.
"""

import os
import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """`by_name`: CPU seconds of each charged tree. The shares are in cores: 1.0 is one core kept busy throughout."""

    by_name: Mapping[str, float]
    foreign_cores: float
    steal_cores: float

    @property
    def seconds(self) -> float:
        return sum(self.by_name.values())


@dataclass(frozen=True)
class Reading:
    trees: Mapping[int, float]
    own: float
    busy: float
    stolen: float
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Meter:
    """`charged`: names and root pids of the system under test. `known`: roots that are neither it nor foreign."""

    charged: Mapping[str, int]
    known: frozenset[int] = frozenset()

    def read(self) -> Reading:
        busy, stolen = machine_seconds()
        roots = {*self.charged.values(), *self.known}
        return Reading(trees=tree_seconds(roots), own=own_seconds(), busy=busy, stolen=stolen)

    def between(self, first: Reading, last: Reading) -> Usage:
        grown = {pid: last.trees.get(pid, 0.0) - first.trees.get(pid, 0.0) for pid in last.trees}
        expected = sum(grown.values()) + last.own - first.own
        elapsed = max(last.at - first.at, 1e-9)
        return Usage(
            by_name={name: grown.get(pid, 0.0) for name, pid in self.charged.items()},
            foreign_cores=max(0.0, last.busy - first.busy - expected) / elapsed,
            steal_cores=(last.stolen - first.stolen) / elapsed,
        )


def own_seconds() -> float:
    """Of this process and of the programs it has run to their end."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def tree_seconds(roots: Iterable[int]) -> dict[int, float]:
    """CPU seconds of the trees under `roots`. A process below two roots is charged to the nearer one."""
    wanted = set(roots)
    parents, seconds = _processes()
    totals = dict.fromkeys(wanted, 0.0)
    for pid, used in seconds.items():
        if root := _root_of(pid, parents, wanted):
            totals[root] += used
    return totals


def trees(roots: Iterable[int]) -> dict[int, set[int]]:
    """The processes of each tree, by the same rule."""
    wanted = set(roots)
    parents, _ = _processes()
    found: dict[int, set[int]] = {root: set() for root in wanted}
    for pid in parents:
        if root := _root_of(pid, parents, wanted):
            found[root].add(pid)
    return found


def _root_of(pid: int, parents: Mapping[int, int], wanted: set[int]) -> int:
    """0 when it is below none of them."""
    while pid and pid not in wanted:
        pid = parents.get(pid, 0)
    return pid


def _processes() -> tuple[dict[int, int], dict[int, float]]:
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for name in filter(str.isdigit, os.listdir(PROC)):
        try:
            stat = (PROC / name / "stat").read_text()
        except OSError:  # it ended between the listing and the reading
            continue
        fields = stat[stat.rfind(")") + 2 :].split()
        parents[int(name)] = int(fields[1])
        seconds[int(name)] = sum(map(int, fields[11:15])) / TICKS_PER_SECOND
    return parents, seconds


def machine_seconds() -> tuple[float, float]:
    """(busy, stolen) CPU seconds of the whole machine since it started; interrupts are charged to nobody."""
    with (PROC / "stat").open() as stat:
        user, nice, system, _idle, _wait, _irq, _softirq, stolen = map(int, stat.readline().split()[1:9])
    return (user + nice + system) / TICKS_PER_SECOND, stolen / TICKS_PER_SECOND
