"""Which rounds count, and what is made of them."""

from dataclasses import replace

import pytest

from bench import report
from bench.load import Slice
from bench.report import Measured
from bench.scenarios import PLAIN, PRODUCT, TUNED, Amount, Scenario, scenarios
from bench.servers import DatabaseWork

CLEAN = Slice(
    path="/v1/notify/",
    connections=16,
    requests=100,
    seconds=1.0,
    accepted_per_s=100.0,
    p50_ms=5.0,
    p99_ms=9.0,
    statuses={202: 100},
    hang_ups=0,
    client_share=0.02,
    expected=100,
    delivered=100,
    delivered_per_s=50.0,
    cpu_seconds={"web": 0.2, "worker": 0.5, "dispatcher": 0.1, "postgres": 0.2},
    cpu_ms_per_message=10.0,
    foreign_cores=0.0,
    steal_cores=0.0,
)
EMAIL = Scenario(
    name="email", title="emails/s", kind="email", amount=Amount(rounds=2, requests={}), order=(PRODUCT, PLAIN)
)


def measured(design: str, rate: float, *, number: int = 1, fault: str = "") -> Measured:
    taken = replace(CLEAN, delivered_per_s=rate)
    work = DatabaseWork(statements=250, wal_bytes=20_000)
    return Measured(scenario="email", round=number, design=design, slice=taken, database=work, fault=fault)


def rate(one: Measured) -> float:
    return one.slice.delivered_per_s


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
def test_wrong_slice_is_named(change: dict[str, object], expected: str) -> None:
    assert report.wrong(replace(CLEAN, **change)) == expected  # type: ignore[arg-type]


def test_disturbed_beyond_the_limit() -> None:
    busy = replace(CLEAN, foreign_cores=0.3)

    assert report.disturbed(busy, limit=0.25) == "0.30 cores used by others"
    assert report.disturbed(busy, limit=0.5) == ""


def test_counting_leaves_out_warm_up_faulty_and_cut_rounds() -> None:
    warm_up = [measured(PRODUCT, 1.0, number=0), measured(PLAIN, 1.0, number=0)]
    faulty = [measured(PRODUCT, 2.0, number=1, fault="busy"), measured(PLAIN, 2.0, number=1)]
    good = [measured(PRODUCT, 3.0, number=2), measured(PLAIN, 3.0, number=2)]
    cut = [measured(PRODUCT, 4.0, number=3)]

    rounds = report.counting([*warm_up, *faulty, *good, *cut], EMAIL)

    assert rounds == [{PRODUCT: [good[0]], PLAIN: [good[1]]}]


def test_whole_keeps_disturbed_rounds_but_not_wrong_ones() -> None:
    disturbed = [measured(PRODUCT, 2.0, number=1, fault="0.4 cores used by others"), measured(PLAIN, 2.0, number=1)]
    wrong = [measured(PRODUCT, 3.0, number=2), measured(PLAIN, 3.0, number=2)]
    wrong[0] = replace(wrong[0], slice=replace(CLEAN, delivered=99))

    rounds = report.whole([*disturbed, *wrong], EMAIL)

    assert rounds == [{PRODUCT: [disturbed[0]], PLAIN: [disturbed[1]]}]


def test_ratio_is_the_median_within_rounds() -> None:
    rounds = [
        {PRODUCT: [measured(PRODUCT, fast)], PLAIN: [measured(PLAIN, slow)]}
        for fast, slow in [(100.0, 10.0), (30.0, 2.0), (400.0, 10.0)]
    ]

    assert report.ratio(rounds, rate, of=PRODUCT, to=PLAIN) == 15.0
    assert report.ratio(rounds, rate, of=PRODUCT, to=TUNED) is None


def test_ratio_takes_the_mean_of_slices_around() -> None:
    around = {PRODUCT: [measured(PRODUCT, 100.0), measured(PRODUCT, 300.0)], PLAIN: [measured(PLAIN, 10.0)]}

    assert report.ratio([around], rate, of=PRODUCT, to=PLAIN) == 20.0


def test_tables_of_one_scenario() -> None:
    slices = [measured(design, rate, number=n) for n in (1, 2) for design, rate in ((PRODUCT, 1234.0), (PLAIN, 100.0))]

    rates, costs = report.tables(slices, [EMAIL]).split("\n\n")

    assert rates.splitlines()[2] == "| emails/s | 100 | – | 1,234 | 12.3 | – | 2 of 2 |"
    assert costs.splitlines()[2:] == [
        "| emails/s | Traffic Control | 10 | 1 | 2 | 6 | 2 | 0 | 2.5 | 200 | 5 | 9 |",
        "| emails/s | plain | 10 | 1 | 2 | 6 | 2 | 0 | 2.5 | 200 | 5 | 9 |",
    ]


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "–"), (0.0, "0"), (0.0421, "0.0421"), (12.34, "12.3"), (33200.4, "33,200")]
)
def test_shown_with_three_digits(value: float | None, expected: str) -> None:
    assert report.shown(value) == expected


@pytest.mark.parametrize("is_quick", [True, False])
def test_scenarios_have_names_of_their_own(is_quick: bool) -> None:
    names = [one.name for one in scenarios(is_quick=is_quick)]

    assert names == ["email", "webhook", "event", "idle", "broadcast", "notify_intake", "events_intake"]
