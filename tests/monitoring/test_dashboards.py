"""The dashboard and the alerts ask for metrics that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from monitoring.exposition import exposition
from traffic_control.metrics import COUNTERS, HISTOGRAMS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
(GROUP,) = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
LABELS = {
    "queue",
    "what",
    "version",
    "python",
    "django",
    "channel",
    "provider",
    "job",
    "le",
    *(n for m in (*COUNTERS, *HISTOGRAMS) for n in m.labels),
}


def expressions() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    for rule in GROUP["rules"]:
        yield rule["alert"], rule["expr"]


@pytest.mark.usefixtures("meter")
def test_every_metric_asked_for_is_there(db):
    families = text_string_to_metric_families(exposition("")[0].decode())
    there = {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}

    asked = {name for _, expression in expressions() for name in re.findall(r"traffic_control_\w+", expression)}

    assert asked - there == set()
    assert there - asked <= {f"{h}_{part}" for h in names_of_histograms() for part in ("bucket", "count", "sum")}


def names_of_histograms():
    return [f"traffic_control_{histogram.name}" for histogram in HISTOGRAMS]


@pytest.mark.parametrize(("title", "expression"), list(expressions()))
def test_labels_asked_for_are_there(title, expression):
    matched = re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", expression)
    grouped = [name for group in re.findall(r"by \(([^)]*)\)", expression) for name in re.split(r",\s*", group)]

    assert {*matched, *grouped} <= LABELS


def test_panels_lie_beside_each_other():
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_alerts_say_what_is_wrong_and_how_much_it_matters():
    for rule in GROUP["rules"]:
        assert rule["alert"].startswith("TrafficControl")
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")
