"""From slices to figures, tables and JSON."""

import json
from dataclasses import asdict

import pytest

from bench.designs import PLAIN, PRODUCT
from bench.figures import Figure, Peak, figures, peaks
from bench.limits import Limit
from bench.tables import bounds, costs, rates, shown, tables
from tests.bench.measurements import EMAIL, measured

SLICES = [measured(design, rate, number=n) for n in (1, 2) for design, rate in ((PRODUCT, 1234.0), (PLAIN, 100.0))]


def test_rates_of_one_scenario() -> None:
    head, _, row = rates(figures(SLICES, [EMAIL]), EMAIL.group).splitlines()

    assert head == "| what | plain | tuned | Traffic Control | × plain | × tuned | rounds |"
    assert row == "| emails/s | 100 | – | 1,234 | 12.3 | – | 2 of 2 |"


def test_costs_of_one_scenario() -> None:
    assert costs(figures(SLICES, [EMAIL])).splitlines()[2:] == [
        "| emails/s | Traffic Control | 10 | 1 | 2 | 6 | 2 | 0 | 2.5 | 1 | 200 | 5 | 9 | 1 | – |",
        "| emails/s | plain | 10 | 1 | 2 | 6 | 2 | 0 | 2.5 | 1 | 200 | 5 | 9 | 1 | – |",
    ]


def test_figures_survive_json() -> None:
    made = figures(SLICES, [EMAIL])

    assert [Figure(**one) for one in json.loads(json.dumps([asdict(one) for one in made]))] == made


def test_figures_of_disturbed_rounds_have_costs_but_no_rates() -> None:
    disturbed = [measured(design, 1.0, fault="0.4 cores used by others") for design in (PRODUCT, PLAIN)]

    product, _ = figures(disturbed, [EMAIL])

    assert (product.rate, product.p99_ms, product.cpu_ms, product.statements, product.rounds) == (
        None, None, 10.0, 2.5, 0,
    )  # fmt: skip


def test_peaks_take_the_most_but_growth_only_after_the_warm_up() -> None:
    taken = [measured(PRODUCT, 1.0, number=number, growth=growth) for number, growth in ((0, 30.0), (1, 2.0), (2, 5.0))]

    assert peaks(taken) == [Peak(PRODUCT, "web", peak_mb=110.0, growth_mb=5.0)]


def test_bounds_leave_out_what_was_disturbed() -> None:
    quiet = Limit(name="copy", title="rows by COPY", per_second=65_100.0, is_disturbed=False)
    busy = Limit(name="smtp", title="mails", per_second=900.0, is_disturbed=True)

    assert bounds([quiet, busy]).splitlines()[2:] == ["| rows by COPY | 65,100 |", "| mails | – |"]


def test_tables_leave_out_what_was_not_measured() -> None:
    headings = [line for line in tables(figures(SLICES, [EMAIL]), [], []).splitlines() if line.startswith("#")]

    assert headings == ["### End to end", "### What a message costs", "### Memory"]


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "–"), (0.0, "0"), (0.0421, "0.0421"), (12.34, "12.3"), (33200.4, "33,200")]
)
def test_shown_with_three_digits(value: float | None, expected: str) -> None:
    assert shown(value) == expected
