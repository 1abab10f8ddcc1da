"""The page that says what would reach a customer, and why the rest would not."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from delivery_gateway.registry import CHANNELS
from notification_processor import reach
from tenants.admin_base import TenantScopedAdmin, may_see_addresses
from tenants.console_navigation import stand_at
from tenants.masking import mask
from user_preferences.models import Customer
from user_preferences.quiet_hours import DAYS

SEEN = ("user_preferences.view_customer", "notification_processor.view_workflow")
EVERY_DAY = set(DAYS)


def page(request: HttpRequest, console: TenantScopedAdmin, customer_id: uuid.UUID) -> HttpResponse:
    if not request.user.has_perms(SEEN):
        raise PermissionDenied
    theirs: Any = console.admin_site.get_model_admin(Customer)
    customer = theirs.get_queryset(request).filter(pk=customer_id).first()
    if customer is None:
        raise Http404
    found = reach.of_customer(customer)
    stand_at(request, "user_preferences_customer")
    context = {
        **console.admin_site.each_context(request),
        "title": f"What reaches {customer.user_id}",
        "opts": Customer._meta,
        "media": console.media,
        "customer": customer,
        "channels": _channels(customer, sees_addresses=may_see_addresses(request)),
        "found": found,
        "shown": reach.SHOWN,
        "quiet_hours": hours_of(customer),
    }
    return TemplateResponse(request, "notification_processor/reach.html", context)


def _channels(customer: Customer, *, sees_addresses: bool) -> list[tuple[str, str]]:
    """Each with the address there."""
    return [
        (name.replace("_", "-"), address if sees_addresses or name == "in_app" else mask(address))
        for name in CHANNELS
        for address in [customer.address_on(name)]
    ]


def hours_of(customer: Customer) -> str:
    """In a line: every day 22:00–07:00 (Europe/Warsaw), on slack. Empty when there are none."""
    stored = customer.quiet_hours or {}
    days = {day: spans for day, spans in (stored.get("days") or {}).items() if spans}
    if not days or not stored.get("enabled", True):
        return ""
    said = {day: ", ".join(f"{start}–{end}" for start, end in spans) for day, spans in days.items()}
    alike = len(set(said.values())) == 1 and set(said) == EVERY_DAY
    lines = f"every day {next(iter(said.values()))}" if alike else "; ".join(_day_lines(said.items()))
    zone = stored.get("timezone") or customer.timezone or "the tenant's time zone"
    channels = stored.get("channels") or ()
    return f"{lines} ({zone})" + (f", on {', '.join(channels)}" if channels else "")


def _day_lines(said: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{day} {hours}" for day, hours in sorted(said, key=lambda one: DAYS.index(one[0]))]
