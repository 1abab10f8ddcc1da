"""What a scenario demands, and the page and the chart that a run leaves behind."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from chaos import publish, results, sabotages, scenarios, schedule, verdict
from chaos.demands import Demand
from chaos.load import Answer
from chaos.receipts import unexplained
from chaos.sabotaged import SABOTAGES
from chaos.scenarios import SCENARIOS, Scenario
from chaos.scene import Blow
from chaos.timeline import Timeline
from chaos.troubles import nothing
from chaos.verdict import Outcome

T = 1_790_000_000.0
CLEAN = {"findings": {}, "statuses": {"sent": 10}, "extra_sends": {}, "examples": []}


def outcome(**changed: Any) -> Outcome:
    given: dict[str, Any] = {
        "scenario": "workers",
        "title": "Workers killed",
        "seed": 7,
        "asked": 10,
        "messages": 10,
        "began": T,
        "ended": T + 60,
        "accepted": [T + i for i in range(10)],
        "received": [T + 5 + i for i in range(10)],
        "blows": [Blow(T + 4, "the worker email", T + 5, held=2)],
        "held": 2,
        "unexplained": 0,
        "restarts": 1,
        "refused": {},
        "p99_ms": 40.0,
        "drained": 3.0,
        "waited": 2.0,
        "audit": CLEAN,
        "demands": [],
    }
    return Outcome(**given | changed)


def unmet(seen: Outcome, *, answers: tuple[Answer, ...] = (), **wanted: Any) -> list[str]:
    scenario = Scenario(name="workers", title="", trouble=nothing, **wanted)
    return [one.figure for one in verdict.demands(scenario, seen, answers) if not one.is_met]


@pytest.mark.parametrize(
    ("changed", "wanted", "expected"),
    [
        ({}, {}, []),
        ({"audit": CLEAN | {"findings": {"lost": 2}}}, {}, ["2 findings"]),
        ({"accepted": [T]}, {}, ["1 of 10"]),
        ({"audit": CLEAN | {"statuses": {"sent": 9, "failed": 1}}}, {}, ["1 failed"]),
        ({"drained": None}, {}, ["not drained"]),
        ({"drained": 31.0}, {}, ["31 s"]),
        ({"waited": 31.0}, {}, ["31 s"]),
        ({"messages": 11}, {}, ["10 are there"]),
        ({"audit": CLEAN | {"extra_sends": {"lapsed": 2}}}, {}, []),
        (
            {"audit": CLEAN | {"extra_sends": {"lapsed": 2}}, "unexplained": 1},
            {},
            ["1 of 2 extra sends were not"],
        ),
        ({"refused": {"503": 1, "500": 2}}, {"trouble_lasts": True}, ["2 of 3 heard something else or nothing"]),
        ({"refused": {"0": 2}}, {"kills_web": True}, []),
        ({"refused": {"503": 1}}, {"always_accepts": True}, ["1 refused"]),
        ({"p99_ms": 501.0}, {"always_accepts": True}, ["p99 501 ms"]),
    ],
)
def test_demand_that_is_not_met_is_told(changed, wanted, expected):
    assert unmet(outcome(**changed), **wanted) == expected


def receipt(one: str, *, fate: str = "ok") -> dict[str, Any]:
    return {"id": one, "channel": "email", "at": T, "taken": fate not in ("error", "throttled"), "fate": fate}


@pytest.mark.parametrize(
    ("received", "claims", "expected"),
    [
        ([receipt("a"), receipt("b")], [], 0),
        ([receipt("a"), receipt("a")], [], 1),
        ([receipt("a"), receipt("a")], [("b", 1)], 1),
        ([receipt("a"), receipt("a")], [("a", 1)], 0),
        ([receipt("a"), receipt("a"), receipt("a")], [("a", 1), ("a", 1)], 1),
        ([receipt("a"), receipt("a"), receipt("a")], [("a", 1), ("a", 2)], 0),
        ([receipt("a", fate="error"), receipt("a")], [], 0),
        ([receipt("a", fate="reset"), receipt("a")], [], 0),
    ],
)
def test_extra_send_needs_a_claim_that_was_struck_or_a_silent_receiver(received, claims, expected):
    assert unexplained(received, claims) == expected


@pytest.mark.parametrize(
    ("attempts", "error_class", "least", "most", "expected"),
    [
        (1, "transient", 2.0, 2.01, True),
        (1, "transient", 1.2, 1.7, True),
        (1, "transient", 1.2, 1.5, False),
        (1, "transient", 2.5, 2.6, False),
        (2, "ambiguous", 2.0, 2.1, False),
        (2, "ambiguous", 2.3, 2.4, True),
        (1, "throttled", 1.9, 2.0, True),
        (1, "throttled", 1.5, 1.6, False),
    ],
)
def test_retry_is_on_schedule_within_its_jitter(attempts, error_class, least, most, expected):
    assert schedule.is_on_schedule(attempts, error_class, least, most) is expected


def test_wait_is_counted_from_the_end_of_the_last_blow():
    blow = Blow(T + 10, "the broker", T + 20)

    assert verdict.longest_wait([(T, T + 5), (T + 12, T + 27)], [blow]) == 7
    assert verdict.longest_wait([(T, T + 15)], [blow]) < 0
    assert verdict.longest_wait([], []) == 0


def test_outcome_is_read_as_it_was_kept(tmp_path):
    kept = results.Results(tmp_path)
    taken = outcome(demands=[Demand("drained within 3 s", "9 s", False)])

    kept.keep(taken)

    assert kept.all(scenarios.EVERY) == [taken]
    assert [kept.has(one) for one in SCENARIOS if one.name in ("workers", "web")] == [True, False]


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


def test_parts_of_a_run_are_drawn_end_to_end():
    morning, evening = outcome(), outcome(scenario="web", began=T + 36_000, ended=T + 36_060)

    assert [(one.began, one.ended) for one in Timeline([morning, evening]).outcomes] == [(T, T + 60), (T + 60, T + 120)]


def test_each_sabotage_has_the_scenario_that_shows_it():
    known = {one.name for one in scenarios.EVERY}

    assert set(sabotages.MISSED_IN) == set(SABOTAGES)
    assert set(sabotages.MISSED_IN.values()) <= known


@pytest.mark.parametrize(("findings", "expected"), [({}, ""), ({"doubled": 1, "lost": 2}, "doubled, lost")])
def test_sabotage_is_seen_when_the_audit_finds_anything(findings, expected):
    assert sabotages.was_seen("no-doubt", [outcome(audit=CLEAN | {"findings": findings})]) == expected
