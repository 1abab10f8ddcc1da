"""What scenarios came to, on disk: a run may be made in parts, and told as one."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.demands import Demand
from chaos.scenarios import Scenario
from chaos.scene import Blow
from chaos.verdict import Outcome

ROOT = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Results:
    """Of the same seed, count and rate, in a folder of their own; a scenario's last one counts."""

    folder: Path

    @classmethod
    def of(cls, *, seed: int, count: int, rate: float) -> "Results":
        folder = ROOT / f"seed{seed}-count{count}-rate{rate:g}"
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def keep(self, outcome: Outcome) -> None:
        self._file(outcome.scenario).write_text(json.dumps(outcome.as_json(), indent=1))

    def has(self, scenario: Scenario) -> bool:
        return self._file(scenario.name).exists()

    def all(self, scenarios: Iterable[Scenario]) -> list[Outcome]:
        """In the order of the scenarios."""
        return [read(self._file(one.name)) for one in scenarios if self.has(one)]

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def read(path: Path) -> Outcome:
    """Without the claims of single blows: their number is there."""
    figures: dict[str, Any] = json.loads(path.read_text())
    figures.pop("met")
    blows = [Blow(one["at"], one["what"], one["until"], held=one["held"]) for one in figures.pop("blows")]
    demands = [Demand(**one) for one in figures.pop("demands")]
    return Outcome(**figures, blows=blows, demands=demands)
