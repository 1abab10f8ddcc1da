"""What a soak calls flat."""

import xml.etree.ElementTree as ET

import pytest

from chaos.curves import Curves
from chaos.gauges import FILES, MEMORY, Sample, slope, trends

T = 1_790_000_000.0


def samples(values: list[float], unit: str = MEMORY.unit) -> list[Sample]:
    return [Sample(T + 10 * at, {f"email: {unit}": value}) for at, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([100.0] * 60, True),
        ([100.0 + at * 0.05 for at in range(60)], True),
        ([100.0 + at * 0.5 for at in range(60)], False),
        ([100.0 + 40 * (at % 3 == 0) for at in range(60)], True),
        ([100.0] * 30 + [100.0 + 40 * (at % 3 == 0) for at in range(30)], True),
        ([50.0 + min(at, 20) * 2.5 for at in range(60)], True),
    ],
    ids=["level", "within its share", "a leak", "bursts", "later bursts", "a warm-up"],
)
def test_value_that_only_bursts_or_warms_up_is_flat(values, expected):
    (found,) = trends(samples(values), warm_up=200.0)

    assert found.is_flat is expected


def test_trend_tells_middle_and_growth():
    (found,) = trends(samples([10.0 + at for at in range(61)], FILES.unit), warm_up=0.0)

    assert (found.name, found.middle) == ("email: open files", 40.0)
    assert found.growth == pytest.approx(60.0)


def test_value_that_was_there_for_a_moment_only_is_not_judged():
    taken = samples([100.0] * 10)
    taken[3] = Sample(taken[3].at, {**taken[3].values, "soon gone: open files": 5.0})

    assert [one.name for one in trends(taken, warm_up=0.0)] == ["email: memory, MB"]


def test_slope_of_a_single_point_is_level():
    assert slope([(T, 5.0)]) == 0.0


def test_curves_are_xml_and_name_what_they_show():
    drawn = Curves(samples([100.0, 101.0, 99.0])).svg

    words = {element.text for element in ET.fromstring(drawn).iter() if element.text}
    assert {"email", "memory, MB", "open files"} <= words
