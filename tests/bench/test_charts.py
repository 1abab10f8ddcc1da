"""Charts are drawn from figures; what was not measured is not drawn."""

from xml.etree import ElementTree

import pytest

from bench.charts import charts
from bench.designs import PLAIN, PRODUCT
from bench.figures import figures
from bench.svg import Bar, Chart, Piece, Row, nice
from tests.bench.measurements import EMAIL, measured

SVG = "{http://www.w3.org/2000/svg}"


def test_charts_of_one_scenario() -> None:
    slices = [measured(design, rate, number=n) for n in (1, 2) for design, rate in ((PRODUCT, 1234.0), (PLAIN, 100.0))]

    drawn = charts(figures(slices, [EMAIL]))

    assert list(drawn) == ["delivery", "slow-sinks", "cpu"]
    (row,) = drawn["delivery"].rows
    assert [(bar.value, bar.note) for bar in row.bars] == [(1234.0, "1,234"), (100.0, "100  (12.3× less)")]


def test_charts_without_figures() -> None:
    assert charts([]) == {}


def test_chart_draws_bars_to_scale() -> None:
    rows = [Row("a <b>", [Bar([Piece("x", 50.0), Piece("y", 50.0)], "100"), Bar([Piece("x", 50.0)], "50")])]

    drawing = ElementTree.fromstring(Chart("Title", "per second", rows, {"x": "#111", "y": "#222"}).svg)

    bars = [one for one in drawing.iter(f"{SVG}rect") if one.get("height") == "16"]
    first, second, third = (float(one.get("width", 0)) for one in bars)
    assert first == second == third
    assert float(bars[1].get("x", 0)) == pytest.approx(float(bars[0].get("x", 0)) + first, abs=0.2)
    assert "a <b>" in [one.text for one in drawing.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.07, 0.08), (1.0, 1.0), (9.7, 10.0), (87.0, 100.0), (100.0, 100.0), (1234.0, 1600.0), (41_000.0, 60_000.0)],
)
def test_nice_scale_ends_at_a_round_number(value: float, expected: float) -> None:
    assert nice(value) == pytest.approx(expected)
