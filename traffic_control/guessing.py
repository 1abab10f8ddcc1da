"""A limit for those who guess at links: it counts wrong ones only, so that whoever has a right one always gets in."""

from django.http import HttpRequest

from traffic_control.audit import ip_of
from traffic_control.rate_limit import Limit, opaque, spend

GUESSES = Limit(60, 60)


def seconds_to_wait(request: HttpRequest) -> int:
    """After one more wrong guess from this address: 0 while it may go on, and without Redis."""
    allowance = spend(f"guesses:{opaque(ip_of(request))}", GUESSES)
    return 0 if allowance is None or allowance.is_granted else int(allowance.more_in) + 1
