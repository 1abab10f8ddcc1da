"""What a scenario demands, and the page and the chart that a run leaves behind."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import pytest

from chaos import publish, run, scenarios, verdict
from chaos.load import Answer
from chaos.sabotaged import SABOTAGES
from chaos.scenarios import SCENARIOS, Scenario
from chaos.scene import Blow
from chaos.timeline import Timeline
from chaos.troubles import nothing
from chaos.verdict import Demand, Outcome

T = 1_790_000_000.0
CLEAN = {"findings": {}, "statuses": {"sent": 10}, "extra_sends": {}, "examples": []}


def outcome(**changed: Any) -> Outcome:
    given: dict[str, Any] = {
        "scenario": "workers",
        "title": "Workers killed",
        "seed": 7,
        "asked": 10,
        "began": T,
        "ended": T + 60,
        "accepted": [T + i for i in range(10)],
        "received": [T + 5 + i for i in range(10)],
        "blows": [Blow(T + 4, "the worker email", 2)],
        "held": 2,
        "restarts": 1,
        "refused": {},
        "p99_ms": 40.0,
        "drained": 3.0,
        "audit": CLEAN,
        "demands": [],
    }
    return Outcome(**given | changed)


def unmet(seen: Outcome, *, silent: int = 0, answers: tuple[Answer, ...] = (), **wanted: Any) -> list[str]:
    scenario = Scenario(name="workers", title="", trouble=nothing, **wanted)
    load: Any = SimpleNamespace(answers=answers)
    return [one.figure for one in verdict.demands(scenario, seen, load, silent) if not one.is_met]


@pytest.mark.parametrize(
    ("changed", "wanted", "expected"),
    [
        ({}, {}, []),
        ({"audit": CLEAN | {"findings": {"lost": 2}}}, {}, ["2 findings"]),
        ({"accepted": [T]}, {}, ["1 of 10"]),
        ({"audit": CLEAN | {"statuses": {"failed": 1}}}, {}, ["1 failed"]),
        ({"drained": None}, {}, ["not drained"]),
        ({"drained": 31.0}, {}, ["31 s"]),
        ({"audit": CLEAN | {"extra_sends": {"lapsed": 2}}}, {}, ["2 extra"]),
        ({"audit": CLEAN | {"extra_sends": {"lapsed": 2}}}, {"may_repeat": True}, []),
        ({"audit": CLEAN | {"extra_sends": {"lapsed": 3}}}, {"may_repeat": True}, ["3 extra"]),
        ({"refused": {"503": 1}}, {"always_accepts": True}, ["1 refused"]),
        ({"p99_ms": 501.0}, {"always_accepts": True}, ["p99 501 ms"]),
    ],
)
def test_demand_that_is_not_met_is_told(changed, wanted, expected):
    assert unmet(outcome(**changed), **wanted) == expected


def test_receiver_that_falls_silent_allows_an_extra_send():
    seen = outcome(audit=CLEAN | {"extra_sends": {"ambiguous": 1}})

    assert unmet(seen, silent=1, silences=True) == []
    assert unmet(seen, silent=0, silences=True) == ["1 extra"]


def test_request_may_be_refused_just_after_a_blow_only():
    soon, late = Answer(503, 0.1, T + 8), Answer(503, 0.1, T + 20)

    assert unmet(outcome(), answers=(soon,)) == []
    assert unmet(outcome(), answers=(soon, late)) == ["1 later"]


def test_scenarios_have_names_of_their_own():
    names = [one.name for one in scenarios.EVERY]

    assert len(set(names)) == len(names) > len(SCENARIOS)


def test_page_gets_table_and_chart_between_its_marks(tmp_path, monkeypatch):
    page = tmp_path / "reliability.md"
    page.write_text(f"before\n{publish.BEGIN}\nold\n{publish.END}\nafter\n")
    monkeypatch.setattr(publish, "ROOT", tmp_path)
    monkeypatch.setattr(publish, "PAGE", page)
    monkeypatch.setattr(publish, "CHART", tmp_path / "charts" / "chaos.svg")

    publish.write([outcome(demands=[Demand("drained within 3 s", "9 s", False)])])

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| Workers killed | 10 | 1 | 2 | 0 | 0 | – | 3 s | 40 ms | 0 | 9 s |" in text
    assert (tmp_path / "charts" / "chaos.svg").exists()


def test_chart_is_xml_and_names_scenario_and_blow():
    drawn = Timeline([outcome(), outcome(scenario="web", began=T + 60, ended=T + 90)]).svg

    words = {element.text for element in ET.fromstring(drawn).iter() if element.text}
    assert {"workers", "web", "the worker email", "accepted", "received"} <= words


def test_each_sabotage_has_the_scenario_that_shows_it():
    known = {one.name for one in scenarios.EVERY}

    assert set(run.MISSED_IN) == set(SABOTAGES)
    assert set(run.MISSED_IN.values()) <= known


@pytest.mark.parametrize(("findings", "expected"), [({}, False), ({"doubled": 1}, True)])
def test_sabotage_is_seen_when_the_audit_finds_anything(findings, expected):
    assert run.told_missing("no-doubt", [outcome(audit=CLEAN | {"findings": findings})]) is expected
