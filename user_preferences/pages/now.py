"""What holds for a customer, as the page and `<notification-preferences>` show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst

from user_preferences import preferences
from user_preferences.models import Customer
from user_preferences.pages import choosing, subjects
from user_preferences.pages.choosing import Row
from user_preferences.policy import CHANNELS, Choices
from user_preferences.preferences import Key


@dataclass(frozen=True, slots=True)
class Now:
    """What holds, and what the page shows of it."""

    choices: Choices
    rows: Sequence[Row]
    quiet_hours: Mapping[str, Any] | None
    tenant_defaults: Mapping[str, bool]

    @property
    def keys(self) -> set[Key]:
        return {box.key for row in self.rows for box in row.boxes}


def now_of(customer: Customer) -> Now:
    choices = preferences.choices_of(customer)
    reached = [channel for channel in CHANNELS if customer.address_on(channel)]
    defaults = customer.tenant.channel_defaults
    about = subjects.of(customer.tenant_id)
    rows = choosing.rows(choices, about, channels=reached, tenant_defaults=defaults)
    return Now(choices, rows, customer.quiet_hours, defaults)


def name_of(category: str) -> str:
    """As people read it."""
    return capfirst(category.replace("_", " "))
