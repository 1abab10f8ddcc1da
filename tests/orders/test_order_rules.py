from decimal import Decimal

import pytest

from event_intake.order_rules import STEPS, Item, Status, money, total_of


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ([(2, "12.50"), (1, "0.99")], "25.99"),
        ([(3, "0.1")], "0.3"),
        ([(1_000_000, "0.0001")], "100"),
        ([(1, "0")], "0"),
    ],
)
def test_total_is_exact(lines, total):
    items = [Item("", "x", quantity, Decimal(price)) for quantity, price in lines]

    assert total_of(items) == Decimal(total)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("25", "EUR", "25.00"),
        ("12.5000", "EUR", "12.50"),
        ("0.0125", "USD", "0.0125"),
        ("1200.0000", "JPY", "1200"),
        ("1.5", "JPY", "1.5"),
        ("7", "KWD", "7.000"),
        ("0", "EUR", "0.00"),
        ("99999999999.9999", "EUR", "99999999999.9999"),
        ("30000000000", "EUR", "30000000000.00"),
    ],
)
def test_money_has_at_least_the_decimals_of_its_currency(amount, currency, shown):
    assert money(Decimal(amount), currency) == shown


def test_every_status_has_its_steps_and_ends_somewhere():
    assert STEPS.keys() == set(Status)
    assert {status for status, legal in STEPS.items() if not legal} == {Status.DELIVERED, Status.CANCELLED}
