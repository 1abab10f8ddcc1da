"""What came of a scenario, and whether it is what must come of it."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos.load import Answer, Load
from chaos.scenarios import Scenario
from chaos.scene import Blow, Scene, manage

ACCEPT_SECONDS = 0.5
AFTER_DOWN = 5.0  # seconds after a blow in which a request may still be refused


@dataclass(frozen=True)
class Demand:
    """`figure`: what was seen."""

    wanted: str
    figure: str
    is_met: bool


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Times are unix times; `drained` is None when something was left at the end. `held`: claims that workers had when
    they were struck."""

    scenario: str
    title: str
    seed: int
    asked: int
    began: float
    ended: float
    accepted: Sequence[float]
    received: Sequence[float]
    blows: Sequence[Blow]
    held: int
    restarts: int
    refused: Mapping[str, int]
    p99_ms: float
    drained: float | None
    audit: Mapping[str, Any]
    demands: Sequence[Demand]

    @property
    def is_met(self) -> bool:
        return all(demand.is_met for demand in self.demands)

    @property
    def extra(self) -> int:
        return sum(self.audit["extra_sends"].values())

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"met": self.is_met}


def judged(scene: Scene, scenario: Scenario, load: Load, *, began: float, drained: float | None) -> Outcome:
    receipts = [line for line in lines_of(scene.received) if line["at"] >= began]
    answers, audit = load.answers, audited(scene, load.record, began)
    figures: dict[str, Any] = {
        "scenario": scenario.name,
        "title": scenario.title,
        "seed": scene.seed,
        "asked": load.count,
        "began": began,
        "ended": time.time(),
        "accepted": load.accepted,
        "received": [line["at"] for line in receipts if line["taken"]],
        "blows": list(scene.blows),
        "held": len(scene.claims),
        "restarts": scene.roles.restarts,
        "refused": {str(status): number for status, number in load.statuses().items() if status != 202},
        "p99_ms": 1000 * slowest(answers, 0.99),
        "drained": drained,
        "audit": audit,
    }
    silent = sum(line["fate"] in ("hang", "reset", "lost") for line in receipts)
    outcome = Outcome(**figures, demands=())
    return Outcome(**figures, demands=list(demands(scenario, outcome, load, silent)))


def demands(scenario: Scenario, outcome: Outcome, load: Load, silent: int) -> Iterator[Demand]:
    findings = sum(outcome.audit["findings"].values())
    yield Demand("every promise holds", f"{findings} findings", not findings)
    accepted, failed = len(outcome.accepted), outcome.audit["statuses"].get("failed", 0)
    yield Demand("all are accepted in the end", f"{accepted} of {outcome.asked}", accepted == outcome.asked)
    yield Demand("none fails", f"{failed} failed", not failed)
    drained = "not drained" if outcome.drained is None else f"{outcome.drained:.0f} s"
    in_time = outcome.drained is not None and outcome.drained <= scenario.drain
    yield Demand(f"drained within {scenario.drain:.0f} s", drained, in_time)
    allowed = (outcome.held if scenario.may_repeat else 0) + (silent if scenario.silences else 0)
    yield Demand(f"at most {allowed} extra sends", f"{outcome.extra} extra", outcome.extra <= allowed)
    if scenario.always_accepts:
        refused = sum(outcome.refused.values())
        yield Demand("no request is refused", f"{refused} refused", not refused)
        is_fast = outcome.p99_ms < 1000 * ACCEPT_SECONDS
        yield Demand("99 of 100 accepted within 500 ms", f"p99 {outcome.p99_ms:.0f} ms", is_fast)
    elif not scenario.trouble_lasts:
        late = refused_late(load.answers, outcome.blows)
        yield Demand(f"requests refused only within {AFTER_DOWN:.0f} s of a blow", f"{late} later", not late)


def refused_late(answers: Sequence[Answer], blows: Sequence[Blow]) -> int:
    refusals = [answer.at - answer.seconds for answer in answers if answer.status != 202]
    return sum(not any(blow.at - 1 <= at <= blow.at + AFTER_DOWN for blow in blows) for at in refusals)


def slowest(answers: Sequence[Answer], share: float) -> float:
    taken = sorted(answer.seconds for answer in answers)
    return taken[min(len(taken) - 1, int(share * len(taken)))] if taken else 0.0


def audited(scene: Scene, accepted: Path, began: float) -> dict[str, Any]:
    since = datetime.fromtimestamp(began, UTC).isoformat()
    files = ("--accepted", str(accepted), "--received", str(scene.received))
    told = manage(scene, "audit_ledger", *files, "--since", since, "--settled", "--json").stdout
    report: dict[str, Any] = json.loads(told)
    return report


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
