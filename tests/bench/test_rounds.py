"""Which rounds count, and what is made of them."""

from dataclasses import replace
from typing import Any

import pytest

from bench import rounds
from bench.designs import PLAIN, PRODUCT, TUNED
from bench.rounds import Measured
from tests.bench.measurements import CLEAN, EMAIL, measured


def rate(one: Measured) -> float:
    return float(one.slice.delivered_per_s)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ""),
        ({"statuses": {202: 99, 500: 1}}, "answers {202: 99, 500: 1}, 0 hang-ups"),
        ({"hang_ups": 1}, "answers {202: 100}, 1 hang-ups"),
        ({"delivered": 99}, "99 deliveries where 100 were due"),
        ({"delivered": 101}, "101 deliveries where 100 were due"),
    ],
)
def test_wrong_slice_is_named(change: dict[str, Any], expected: str) -> None:
    assert rounds.wrong(replace(CLEAN, **change)) == expected


def test_disturbed_beyond_the_limit() -> None:
    busy = replace(CLEAN, foreign_cores=0.3)

    assert rounds.disturbed(busy, limit=0.25) == "0.30 cores used by others"
    assert rounds.disturbed(busy, limit=0.5) == ""


def test_counting_leaves_out_warm_up_faulty_and_cut_rounds() -> None:
    warm_up = [measured(PRODUCT, 1.0, number=0), measured(PLAIN, 1.0, number=0)]
    faulty = [measured(PRODUCT, 2.0, number=1, fault="busy"), measured(PLAIN, 2.0, number=1)]
    good = [measured(PRODUCT, 3.0, number=2), measured(PLAIN, 3.0, number=2)]
    cut = [measured(PRODUCT, 4.0, number=3)]

    counting = rounds.counting([*warm_up, *faulty, *good, *cut], EMAIL)

    assert counting == [{PRODUCT: [good[0]], PLAIN: [good[1]]}]


def test_whole_keeps_disturbed_rounds_but_not_wrong_ones() -> None:
    disturbed = [measured(PRODUCT, 2.0, number=1, fault="0.4 cores used by others"), measured(PLAIN, 2.0, number=1)]
    wrong = [measured(PRODUCT, 3.0, number=2), measured(PLAIN, 3.0, number=2)]
    wrong[0] = replace(wrong[0], slice=replace(CLEAN, delivered=99))

    whole = rounds.whole([*disturbed, *wrong], EMAIL)

    assert whole == [{PRODUCT: [disturbed[0]], PLAIN: [disturbed[1]]}]


def test_ratio_is_the_median_within_rounds() -> None:
    taken = [
        {PRODUCT: [measured(PRODUCT, fast)], PLAIN: [measured(PLAIN, slow)]}
        for fast, slow in [(100.0, 10.0), (30.0, 2.0), (400.0, 10.0)]
    ]

    assert rounds.ratio(taken, rate, of=PRODUCT, to=PLAIN) == 15.0
    assert rounds.ratio(taken, rate, of=PRODUCT, to=TUNED) is None


def test_ratio_takes_the_mean_of_slices_around() -> None:
    around = {PRODUCT: [measured(PRODUCT, 100.0), measured(PRODUCT, 300.0)], PLAIN: [measured(PLAIN, 10.0)]}

    assert rounds.ratio([around], rate, of=PRODUCT, to=PLAIN) == 20.0
