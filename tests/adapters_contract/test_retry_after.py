"""Retry-After: seconds or a date, clamped; anything else says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery_gateway.egress import retry_after_seconds

NOON = 1_767_268_800.0  # Thu, 01 Jan 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("0", 1.0),
        ("3600", 3600.0),
        ("86400", 3600.0),
        ("9" * 400, 3600.0),
        ("Thu, 01 Jan 2026 12:02:00 GMT", 120.0),
        ("Thursday, 01-Jan-26 12:02:00 GMT", 120.0),
        ("Thu Jan  1 12:02:00 2026", 120.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 1.0),
        ("Fri, 02 Jan 2026 12:00:00 GMT", 3600.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 99 Foo 2026 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_read(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, now=NOON) == seconds


@given(st.text())
def test_no_text_breaks_the_parser(value: str) -> None:
    seconds = retry_after_seconds(value)

    assert seconds is None or 1 <= seconds <= 3600
