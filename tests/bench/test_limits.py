"""The barest loops do what they count."""

from collections.abc import Callable
from typing import Any

import pytest

from bench.arrivals import delay, peak, reading
from bench.limits import Limit, _limit
from bench.smtp_wire import mails


def test_mails_arrive_as_counted(sink: Any) -> None:
    per_second = mails(sink.smtp_port, 0.2)

    arrived, _ = reading(sink.url)
    assert arrived == pytest.approx(per_second * 0.2, rel=0.5)
    assert arrived > 10


def test_delay_is_set_while_the_sink_runs(start_sink: Callable[..., Any]) -> None:
    sink = start_sink()

    delay(sink.url, 50)
    sent = mails(sink.smtp_port, 0.2) * 0.2

    assert sent <= 6
    assert peak(sink.url) == 1
    delay(sink.url, 0)
    assert peak(sink.url) == 0


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ([(10.0, 0.0), (30.0, 0.1), (99.0, 1.0)], (20.0, False)),
        ([(10.0, 0.9), (30.0, 0.9), (99.0, 1.0)], (30.0, True)),
    ],
)
def test_limit_prefers_undisturbed_slices(slices: list[tuple[float, float]], expected: tuple[float, bool]) -> None:
    per_second, is_disturbed = expected

    assert _limit("x", "X", slices, 0.25) == Limit(
        name="x", title="X", per_second=per_second, is_disturbed=is_disturbed
    )
