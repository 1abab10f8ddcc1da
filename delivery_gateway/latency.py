"""How long messages took from acceptance to the provider's yes, as counts in buckets: sums of sums, on any database."""

from bisect import bisect_left
from collections.abc import Mapping

# Upper ends in seconds, each 1.5 to 2 times the one before: a quantile that is read off is right to within its bucket.
BOUNDS = (
    0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    1800.0, 3600.0, 21_600.0, 86_400.0,
)  # fmt: skip


def bucket_of(seconds: float) -> int:
    """The first bucket that it fits into; the last one holds whatever took longer than a day."""
    return bisect_left(BOUNDS, seconds)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The time in seconds that `share` of all took at most, as if they lay evenly within each bucket."""
    total = sum(counts.values())
    if not total:
        return None
    wanted, below = share * total, 0
    for bucket in sorted(counts):
        if counts[bucket] and below + counts[bucket] >= wanted:
            return _between(bucket, (wanted - below) / counts[bucket])
        below += counts[bucket]
    return BOUNDS[-1]


def _between(bucket: int, part: float) -> float:
    if bucket >= len(BOUNDS):
        return BOUNDS[-1]
    start = BOUNDS[bucket - 1] if bucket else 0.0
    return start + part * (BOUNDS[bucket] - start)
