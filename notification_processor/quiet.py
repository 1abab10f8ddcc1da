"""For whom it is quiet now, and until when."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from traffic_control.decisions import HELD
from user_preferences import quiet_hours, selectors
from user_preferences.models import Customer
from user_preferences.quiet_hours import QuietHours

REASON, FOR_DIGEST = HELD
SPREAD = 600  # seconds after their end within which what was held is sent: not everybody's at the same minute


@dataclass(frozen=True, slots=True)
class Quiet:
    """It ends at `until`; what was held is due at `due_at`."""

    until: datetime
    due_at: datetime
    zone: str

    @property
    def detail(self) -> str:
        over = self.until.astimezone(quiet_hours.zone_of(self.zone))
        return f"The customer's quiet hours last until {over:%H:%M} ({self.zone or 'UTC'})."

    def told(self, reason: str) -> str:
        """`detail`, and what becomes of it then."""
        return self.detail + (" Then it goes into a digest." if reason == FOR_DIGEST else "")


@dataclass(frozen=True, slots=True)
class Keeper:
    """A customer's quiet hours."""

    customer_id: uuid.UUID
    hours: QuietHours
    zone: str  # of the customer; empty: of nobody knows where

    def quiet(self, channel: str, now: datetime, *, tenant_zone: str) -> Quiet | None:
        """None when a message may be sent on this channel now."""
        zone = self.hours.timezone or self.zone or tenant_zone
        until = quiet_hours.quiet_until(self.hours, now, zone=zone) if self.hours.covers(channel) else None
        if until is None:
            return None
        return Quiet(until, until + timedelta(seconds=self.customer_id.int % SPREAD), zone)


def keeper(customer: Customer) -> Keeper | None:
    hours = quiet_hours.from_json(customer.quiet_hours) if customer.quiet_hours else None
    return Keeper(customer.id, hours, customer.timezone) if hours else None


def keepers(customer_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Keeper]:
    """Those of them who keep quiet hours. One query."""
    found = ((customer.id, keeper(customer)) for customer in selectors.with_quiet_hours(customer_ids))
    return {customer_id: kept for customer_id, kept in found if kept}
