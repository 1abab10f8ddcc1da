"""How much memory processes took at most. Linux only: the peak is the kernel's own, and can be started anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import PROC, trees

RESET_PEAK = "5"


@dataclass(frozen=True)
class Memory:
    """Of the process of a tree that took most: its resident MB at the peak, and how far above its own start."""

    peak_mb: float
    growth_mb: float


@dataclass(frozen=True)
class Watch:
    """Peaks from here on. `charged`: names and root pids."""

    charged: Mapping[str, int]
    at_start: Mapping[int, float]

    @classmethod
    def begin(cls, charged: Mapping[str, int]) -> "Watch":
        pids = [pid for tree in trees(charged.values()).values() for pid in tree]
        return cls(charged, {pid: _begin_anew(pid) for pid in pids})

    def end(self) -> dict[str, Memory]:
        found = trees(self.charged.values())
        return {name: self._most(found[root]) for name, root in self.charged.items()}

    def _most(self, pids: set[int]) -> Memory:
        """A process born meanwhile has a peak, but no growth."""
        peaks = {pid: _megabytes(pid, "VmHWM") for pid in pids}
        grown = (peak - self.at_start[pid] for pid, peak in peaks.items() if pid in self.at_start)
        return Memory(peak_mb=max(peaks.values(), default=0.0), growth_mb=max(grown, default=0.0))


def _begin_anew(pid: int) -> float:
    """Lets the kernel count the peak from now on; the memory it has now."""
    try:
        (PROC / str(pid) / "clear_refs").write_text(RESET_PEAK)
    except OSError:  # it has ended, or is not ours
        return 0.0
    return _megabytes(pid, "VmRSS")


def _megabytes(pid: int, field: str) -> float:
    """0 when the process has ended."""
    try:
        lines = Path(PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0.0)
