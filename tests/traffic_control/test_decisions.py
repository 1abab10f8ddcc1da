"""What routing decided, as one number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery_gateway.registry import CHANNELS
from traffic_control import decisions
from traffic_control.decisions import Decided

NAMES = tuple(CHANNELS)
left_out = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(decisions.LEFT_OUT[1:]))


@given(rule=st.sampled_from(decisions.RULES), delay=st.sampled_from(decisions.RULES), out=left_out)
def test_number_keeps_what_was_decided(rule: str, delay: str, out: dict[str, str]) -> None:
    number = decisions.delayed(decisions.packed(rule, out, NAMES), delay)

    assert decisions.unpacked(number, NAMES) == Decided(rule, delay, out)
    assert 0 <= number < 2**63


@pytest.mark.parametrize("number", [None, 0])
def test_no_number_says_nothing(number):
    assert decisions.unpacked(number, NAMES) == Decided()


def test_number_of_a_newer_version_is_read_as_far_as_it_goes():
    newer = decisions.packed("critical", {"email": "no_address"}, NAMES) | 63 << decisions.BITS

    assert decisions.unpacked(newer, NAMES) == Decided("critical", "", {"email": "no_address"})


def test_places_are_those_that_rows_have_been_written_with():
    assert decisions.RULES[:11] == (
        "", "critical", "channel_choice", "category_channel_choice", "category_choice", "tenant_default",
        "system_default", "no_address", "other_channels", "recipient_rate_limit", "to_an_address",
    )  # fmt: skip
    assert decisions.LEFT_OUT == ("", "no_address", "other_channels", "tenant_default")
    assert NAMES[:6] == ("email", "slack", "teams", "telegram", "webhook", "in_app")
    assert len(decisions.RULES) <= 2**decisions.BITS
    assert 2 * decisions.BITS + decisions.CHANNEL_BITS * len(NAMES) <= 63


@pytest.mark.parametrize("rule", decisions.SENTENCES)
def test_every_rule_has_a_sentence(rule):
    text = decisions.sentence(rule, channel="email", category="orders")

    assert text.endswith(".")
    assert "{" not in text
