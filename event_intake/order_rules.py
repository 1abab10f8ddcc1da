"""What an order may become, and what it costs. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from event_intake.models import Order

Status = Order.Status
STEPS: Mapping[str, tuple[str, ...]] = {
    Status.CREATED: (Status.CONFIRMED, Status.CANCELLED),
    Status.CONFIRMED: (Status.SHIPPED, Status.CANCELLED),
    Status.SHIPPED: (Status.DELIVERED,),
    Status.DELIVERED: (),
    Status.CANCELLED: (),
}
# ISO 4217: currencies whose smallest unit is not a hundredth
WHOLE = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF"})
WHOLE |= {"XOF", "XPF"}
IN_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an order."""

    sku: str
    name: str
    quantity: int
    unit_price: Decimal


def total_of(items: Iterable[Item]) -> Decimal:
    return sum((item.quantity * item.unit_price for item in items), Decimal())


def money(amount: Decimal, currency: str) -> str:
    """Exact, with at least the decimals that the currency has: 25.00 EUR, 1200 JPY, 0.0125 USD."""
    usual = 0 if currency in WHOLE else 3 if currency in IN_THOUSANDTHS else 2
    exponent = amount.normalize().as_tuple().exponent
    finest = -exponent if isinstance(exponent, int) else 0
    return f"{amount:.{max(finest, usual)}f}"
