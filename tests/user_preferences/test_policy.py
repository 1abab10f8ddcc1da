"""The decision table. Rules in order; a channel muted as a whole stays muted."""

import pytest

from user_preferences import policy
from user_preferences.policy import NO_CHOICES, Choices, Decision, decide, default_channels, is_wanted


def chose(**choices: bool) -> Choices:
    """`email=True`, `marketing__email=False`, `marketing__=False` (whole category), `__=False` (everything)."""
    parted = {name: name.rpartition("__") for name in choices}
    return Choices({(parted[name][0], parted[name][2]): is_on for name, is_on in choices.items()})


@pytest.mark.parametrize(
    ("choices", "facts", "expected"),
    [
        (NO_CHOICES, {}, (True, "system_default")),
        (NO_CHOICES, {"has_address": False}, (False, "no_address")),
        (NO_CHOICES, {"tenant_defaults": {"email": False}}, (False, "tenant_default")),
        (NO_CHOICES, {"tenant_defaults": {"email": True}}, (True, "tenant_default")),
        (NO_CHOICES, {"tenant_defaults": {"slack": False}}, (True, "system_default")),
        (chose(email=True), {"tenant_defaults": {"email": False}}, (True, "channel_choice")),
        (chose(email=False), {"tenant_defaults": {"email": True}}, (False, "channel_choice")),
        (chose(slack=False), {}, (True, "system_default")),
        (chose(marketing__=False), {}, (False, "category_choice")),
        (chose(marketing__=True), {"tenant_defaults": {"email": False}}, (True, "category_choice")),
        (chose(orders__=False), {}, (True, "system_default")),
        (chose(marketing__=False), {"category": ""}, (True, "system_default")),
        (chose(marketing__email=False), {}, (False, "category_channel_choice")),
        (chose(marketing__email=True, marketing__=False), {}, (True, "category_channel_choice")),
        (chose(marketing__email=False, marketing__=True), {}, (False, "category_channel_choice")),
        (chose(marketing__slack=False), {}, (True, "system_default")),
        (chose(email=True, marketing__=False), {}, (False, "category_choice")),
        (chose(email=True, marketing__email=False), {}, (False, "category_channel_choice")),
        # Muted as a whole: no category brings the channel back.
        (chose(email=False, marketing__email=True), {}, (False, "channel_choice")),
        (chose(email=False, marketing__=True), {}, (False, "channel_choice")),
        # Everything at once, unless the channel was named.
        (chose(__=False), {}, (False, "channel_choice")),
        (chose(__=False, email=True), {}, (True, "channel_choice")),
        (chose(__=False, marketing__email=True), {}, (False, "channel_choice")),
        # Critical asks nobody, but needs an address.
        (chose(email=False), {"is_critical": True}, (True, "critical")),
        (chose(marketing__email=False), {"is_critical": True}, (True, "critical")),
        (NO_CHOICES, {"is_critical": True, "tenant_defaults": {"email": False}}, (True, "critical")),
        (NO_CHOICES, {"is_critical": True, "has_address": False}, (False, "no_address")),
        (chose(email=True), {"has_address": False}, (False, "no_address")),
    ],
)
def test_decide_takes_the_first_rule_that_applies(choices, facts, expected):
    decision = decide(choices, **{"channel": "email", "category": "marketing"} | facts)

    assert (decision.is_allowed, decision.rule) == expected


@pytest.mark.parametrize(
    ("choices", "facts", "detail"),
    [
        (NO_CHOICES, {"has_address": False}, "There is no slack address for this customer."),
        (NO_CHOICES, {"is_critical": True}, "The workflow is critical: it is sent whatever the customer prefers."),
        (chose(slack=False), {}, "The customer turned slack off."),
        (chose(slack=True), {}, "The customer turned slack on."),
        (chose(news__slack=False), {"category": "news"}, 'The customer turned slack off for "news".'),
        (chose(news__=False), {"category": "news"}, 'The customer turned "news" off.'),
        (
            NO_CHOICES,
            {"tenant_defaults": {"slack": False}},
            "The tenant has slack off for customers who did not choose.",
        ),
        (NO_CHOICES, {}, "Nobody chose, and slack is on by default."),
    ],
)
def test_decision_tells_an_operator_why(choices, facts, detail):
    assert decide(choices, channel="slack", **facts).detail == detail


def test_decide_without_more_facts_allows():
    assert decide(NO_CHOICES, channel="in_app") == Decision(
        True, "system_default", "Nobody chose, and in_app is on by default."
    )


@pytest.mark.parametrize(
    ("choices", "reachable", "tenant_defaults", "expected"),
    [
        (NO_CHOICES, {"email", "in_app"}, {}, ["email", "in_app"]),
        (NO_CHOICES, {"in_app", "slack", "email"}, {}, ["email", "slack", "in_app"]),
        (NO_CHOICES, {"email", "slack"}, {"slack": False}, ["email"]),
        (NO_CHOICES, set(), {}, []),
        # Turned on by name: exactly these, reachable or not.
        (chose(email=True, slack=True), {"email", "slack", "in_app"}, {}, ["email", "slack"]),
        (chose(slack=True), {"email", "in_app"}, {}, ["slack"]),
        (chose(email=True), {"email"}, {"email": False}, ["email"]),
        # Turned off by name: along, so that their rows say why not.
        (chose(slack=False), {"email", "slack"}, {}, ["email", "slack"]),
        (chose(email=True, slack=False), {"email", "slack", "in_app"}, {}, ["email", "slack"]),
        (chose(email=False), {"in_app"}, {}, ["email", "in_app"]),
        # Categories and "everything" name no channel.
        (chose(marketing__slack=True), {"email"}, {}, ["email"]),
        (chose(__=False), {"email"}, {}, ["email"]),
    ],
)
def test_default_channels_are_those_opted_in_to_or_on_by_default(choices, reachable, tenant_defaults, expected):
    assert default_channels(choices, reachable, tenant_defaults) == expected


@pytest.mark.parametrize(
    ("choices", "channel", "has_address", "expected"),
    [
        (NO_CHOICES, "email", False, True),
        (NO_CHOICES, "in_app", False, True),
        (NO_CHOICES, "slack", False, False),
        (NO_CHOICES, "slack", True, True),
        (chose(slack=True), "slack", False, True),
        (chose(email=False), "email", True, False),
    ],
)
def test_is_wanted_asks_for_consent_not_for_an_address(choices, channel, has_address, expected):
    wanted = is_wanted(choices, channel=channel, category="", tenant_defaults={}, has_address=has_address)

    assert wanted is expected


def test_channels_are_those_of_the_providers_table():
    from tenants import providers

    assert policy.CHANNELS == providers.CHANNELS
