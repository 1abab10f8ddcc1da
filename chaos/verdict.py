"""What came of a scenario, and whether it is what must come of it."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos import receipts
from chaos.demands import Demand
from chaos.load import Answer, Load
from chaos.scenarios import Scenario
from chaos.scene import Blow, Scene, manage

ACCEPT_SECONDS = 0.5
AFTER_DOWN = 5.0  # seconds after something is back in which a request may still be refused


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Times are unix times; `drained` is None when something was left at the end. `messages`: so many must have come of
    what was asked for. `held`: claims that the struck had; `unexplained`: extra sends of what none of them had.
    `waited`: seconds that a message had to wait at most, after it was there and nothing was being broken any more."""

    scenario: str
    title: str
    seed: int
    asked: int
    messages: int
    began: float
    ended: float
    accepted: Sequence[float]
    received: Sequence[float]
    blows: Sequence[Blow]
    held: int
    unexplained: int
    restarts: int
    refused: Mapping[str, int]
    p99_ms: float
    drained: float | None
    waited: float
    audit: Mapping[str, Any]
    demands: Sequence[Demand]

    @property
    def is_met(self) -> bool:
        return all(demand.is_met for demand in self.demands)

    @property
    def extra(self) -> int:
        return sum(self.audit["extra_sends"].values())

    def as_json(self) -> dict[str, Any]:
        blows = [{"at": one.at, "until": one.until, "what": one.what, "held": one.held} for one in self.blows]
        return asdict(replace(self, blows=())) | {"blows": blows, "met": self.is_met}


def judged(scene: Scene, scenario: Scenario, load: Load, *, began: float, drained: float | None) -> Outcome:
    seen = receipts.since(scene.received, scene.received_before, load.ids)
    claims = frozenset(claim for blow in scene.blows for claim in blow.claims)
    figures: dict[str, Any] = {
        "scenario": scenario.name,
        "title": scenario.title,
        "seed": scene.seed,
        "asked": load.count,
        "messages": load.messages,
        "began": began,
        "ended": time.time(),
        "accepted": load.accepted,
        "received": [line["at"] for line in seen if line["taken"]],
        "blows": list(scene.blows),
        "held": len(claims),
        "unexplained": receipts.unexplained(seen, claims),
        "restarts": scene.roles.restarts,
        "refused": {str(status): number for status, number in load.statuses().items() if status != 202},
        "p99_ms": 1000 * slowest(load.answers, 0.99),
        "drained": drained,
        "waited": longest_wait(scene.servers.journeys(began), scene.blows),
        "audit": audited(scene, load.record, receipts.write(seen, load.record.with_suffix(".received")), began),
    }
    outcome = Outcome(**figures, demands=())
    further = [demand for ask in scene.afterwards for demand in ask()]
    return Outcome(**figures, demands=[*demands(scenario, outcome, load.answers), *further])


def demands(scenario: Scenario, outcome: Outcome, answers: Sequence[Answer]) -> Iterator[Demand]:
    findings, statuses = sum(outcome.audit["findings"].values()), outcome.audit["statuses"]
    yield Demand("every promise holds", f"{findings} findings", not findings)
    accepted, failed, rows = len(outcome.accepted), statuses.get("failed", 0), sum(statuses.values())
    yield Demand("all are accepted in the end", f"{accepted} of {outcome.asked}", accepted == outcome.asked)
    yield Demand(f"{outcome.messages:,} messages come of it", f"{rows:,} are there", rows == outcome.messages)
    yield Demand("none fails", f"{failed} failed", not failed)
    drained = "not drained" if outcome.drained is None else f"{outcome.drained:.0f} s"
    in_time = outcome.drained is not None and outcome.drained <= scenario.drain
    yield Demand(f"drained within {scenario.drain:.0f} s", drained, in_time)
    waited = f"{outcome.waited:.0f} s"
    yield Demand(f"none waits longer than {scenario.drain:.0f} s", waited, outcome.waited <= scenario.drain)
    figure = f"{outcome.unexplained} of {outcome.extra} extra sends were not"
    wanted = f"only what the struck held ({outcome.held}), or a receiver took in silence, was sent twice"
    yield Demand(wanted, figure, not outcome.unexplained)
    yield from _of_answers(scenario, outcome, answers)


def _of_answers(scenario: Scenario, outcome: Outcome, answers: Sequence[Answer]) -> Iterator[Demand]:
    refused = sum(outcome.refused.values())
    if scenario.always_accepts:
        yield Demand("no request is refused", f"{refused} refused", not refused)
        is_fast = outcome.p99_ms < 1000 * ACCEPT_SECONDS
        yield Demand("99 of 100 accepted within 500 ms", f"p99 {outcome.p99_ms:.0f} ms", is_fast)
        return
    if not scenario.kills_web:
        others = refused - outcome.refused.get("503", 0)
        yield Demand("who is refused hears a 503", f"{others} of {refused} heard something else or nothing", not others)
    if not scenario.trouble_lasts:
        late = refused_late(answers, outcome.blows)
        yield Demand(f"refused only while something is down and {AFTER_DOWN:.0f} s on", f"{late} later", not late)


def refused_late(answers: Sequence[Answer], blows: Sequence[Blow]) -> int:
    refusals = [answer.at - answer.seconds for answer in answers if answer.status != 202]
    return sum(not any(blow.at - 1 <= at <= blow.until + AFTER_DOWN for blow in blows) for at in refusals)


def longest_wait(journeys: Sequence[tuple[float, float]], blows: Sequence[Blow]) -> float:
    """Of messages that were (written, sent) then; while something was down, nobody can be blamed."""
    waits = (sent - max([written, *(blow.until for blow in blows if blow.at < sent)]) for written, sent in journeys)
    return max(waits, default=0.0)


def slowest(answers: Sequence[Answer], share: float) -> float:
    taken = sorted(answer.seconds for answer in answers)
    return taken[min(len(taken) - 1, int(share * len(taken)))] if taken else 0.0


def audited(scene: Scene, accepted: Path, received: Path, began: float) -> dict[str, Any]:
    since = datetime.fromtimestamp(began, UTC).isoformat()
    files = ("--accepted", str(accepted), "--received", str(received))
    told = manage(scene, "audit_ledger", *files, "--since", since, "--settled", "--json").stdout
    report: dict[str, Any] = json.loads(told)
    return report
