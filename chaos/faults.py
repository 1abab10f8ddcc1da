"""What a provider does instead of its work. Seeded: the same message meets the same fate in every run."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

OK, ERROR, THROTTLED, SLOW, HANG, RESET, LOST = "ok", "error", "throttled", "slow", "hang", "reset", "lost"
TAKEN = frozenset({OK, SLOW, HANG, RESET, LOST})  # the message has arrived, whatever the sender hears of it
SLOW_SECONDS = 3.0
RETRY_AFTER = 2  # seconds


@dataclass(frozen=True)
class Script:
    """`shares`: of each fault; the rest is well. Nobody meets more than `most` faults, so that all end."""

    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=dict)
    most: int = 3

    def fate(self, identity: str, call: int) -> str:
        """Of the call with this number (from 1) about this message."""
        if call > self.most:
            return OK
        at = random.Random(f"{self.seed}:{identity}:{call}").random()
        for fault, share in self.shares.items():
            if at < share:
                return fault
            at -= share
        return OK
