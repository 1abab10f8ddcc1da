"""What must come of a scenario, and what was seen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """`figure`: what was seen."""

    wanted: str
    figure: str
    is_met: bool
