"""What is cleared of its words when it is old, all of it one after the other."""

from collections.abc import Iterator
from datetime import datetime

import delivery_gateway.clearing
import notification_processor.clearing
from tenants.retention import Sweeper, sweep

KINDS = (delivery_gateway.clearing, notification_processor.clearing)


def clear_old(now: datetime) -> Iterator[int]:
    """Rows cleared, a window at a time."""
    for kind in KINDS:
        yield from sweep(kind.KIND, kind.clear_window, now=now)


SWEEPER = Sweeper(clear_old)
