"""Which of the messages that quiet hours held go out one by one, and which as a digest. No database."""

import uuid

import pytest

from delivery_gateway.models import NotificationLog
from notification_processor.releasing import bundled
from traffic_control.ids import uuid7

ANN, BOB, SHOP, OTHER_SHOP = (uuid.UUID(int=n) for n in range(4))
HOLD, DIGEST = "quiet_hours", "quiet_hours_digest"


def held(number, reason=HOLD, **fields):
    about = {"tenant_id": SHOP, "customer_id": ANN, "mode": "live", "channel": "email", "to": "ann@example.com"}
    return [NotificationLog(**about | fields, id=uuid7(), reason=reason) for _ in range(number)]


def sizes(*rows):
    alone, bundles = bundled([row for some in rows for row in some])
    return len(alone), sorted(map(len, bundles))


@pytest.mark.parametrize(
    ("held_rows", "asked", "alone", "bundles"),
    [
        (1, 0, 1, []),
        (5, 0, 5, []),
        (6, 0, 0, [6]),
        (0, 1, 1, []),  # one message goes as it is
        (0, 2, 0, [2]),
        (3, 2, 3, [2]),
        (4, 1, 5, []),
        (4, 2, 0, [6]),
        (0, 6, 0, [6]),
        (5, 1, 0, [6]),
    ],
)
def test_more_than_five_go_together_and_so_does_what_asks_for_it(held_rows, asked, alone, bundles):
    assert sizes(held(held_rows), held(asked, DIGEST)) == (alone, bundles)


@pytest.mark.parametrize(
    "difference",
    [
        {"tenant_id": OTHER_SHOP},
        {"customer_id": BOB},
        {"channel": "slack"},
        {"mode": "test"},
        {"to": "old@example.com"},
    ],
)
def test_what_is_for_somebody_else_is_never_in_it(difference):
    assert sizes(held(6), held(5, **difference)) == (5, [6])
    assert sizes(held(3), held(3, **difference)) == (6, [])


def test_bundle_is_in_the_order_in_which_they_came_in():
    rows = held(8)

    _, (bundle,) = bundled(rows[::-1])

    assert bundle == rows
