"""One tenant's provider fails: its circuit opens soon and shows, and everybody else's messages are as quick as ever.

Calm and troubled phases take turns on one running product; each has a neighbour of its own, with a closed circuit.
What else runs on the machine disturbs a phase now and then: the round in the middle counts.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest

from tests.flow.load import percentile
from tests.flow.scrape import TOKEN
from tests.flow.stack import stack
from tests.peers.server import OK
from tests.soak.neighbours import Phase, Resident, phase, resident

RESIDENTS, RATE = 3, 60.0  # posts a second, the neighbour's quarter included
WARM_UP, ROUNDS = 3.0, 3
CALM = 5.0  # seconds
FAULTS = {"500": CALM, "hang": 17.0}  # seconds; what hangs is given up after 15, and only then counts as failed
MOST_SLOWER = 1.5
OPENS_IN = 20.0  # seconds
LEAST_SAMPLES = 200

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("transactional_db")]


@pytest.fixture
def residents(tmp_path: Path) -> Iterator[list[Resident]]:
    with ExitStack() as up:
        running = up.enter_context(stack(tmp_path, METRICS_TOKEN=TOKEN))
        base = running.web()
        running.worker()
        running.dispatcher()
        yield [up.enter_context(resident(base, f"Resident {number}")) for number in range(RESIDENTS)]


def test_neighbour_whose_provider_fails_slows_nobody_and_its_circuit_opens(residents):
    phase(residents, OK, rate=RATE, seconds=WARM_UP)
    print()
    rounds = [one_round(residents) for _ in range(ROUNDS)]

    for fault in FAULTS:
        slower = median(p95(phases[fault]) / p95(phases[OK]) for phases in rounds)
        troubled = [phases[fault] for phases in rounds]
        print(f"{fault}: p95 is {slower:.2f} times the calm one, in the middle of {ROUNDS} rounds")
        assert slower <= MOST_SLOWER
        assert all(one.opened_in is not None and one.opened_in <= OPENS_IN for one in troubled)
        assert all(one.circuits_not_closed >= 1 for one in troubled)
    assert min(len(one.journeys) for phases in rounds for one in phases.values()) >= LEAST_SAMPLES
    assert [resident.circuits()[0]["state"] for resident in residents] == ["closed"] * RESIDENTS


def one_round(residents: Sequence[Resident]) -> dict[str, Phase]:
    phases = {}
    for fault, seconds in {OK: CALM, **FAULTS}.items():
        phases[fault] = phase(residents, fault, rate=RATE, seconds=seconds)
        print(f"{fault:<5} {told(phases[fault])}")
    return phases


def p95(one: Phase) -> float:
    return percentile(one.journeys, 95)


def told(one: Phase) -> str:
    middle = percentile(one.journeys, 50)
    figures = f"{len(one.journeys)} messages, median {middle * 1000:.0f} ms, p95 {p95(one) * 1000:.0f} ms"
    return figures + (f", open {one.opened_in:.1f} s after the first failure" if one.opened_in is not None else "")
