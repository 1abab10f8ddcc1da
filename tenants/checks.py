"""Settings of this app that would otherwise fail at the first request."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from tenants import vault
from traffic_control.rate_limit import parse_limit

REGISTRATION = ("open", "token", "closed")


@register()
def credentials_keys_are_usable(**kwargs: Any) -> list[CheckMessage]:
    try:
        vault.current_key_id()
    except ImproperlyConfigured as exc:
        return [Error(str(exc), id="tenants.E001")]
    return []


@register()
def registration_is_known(**kwargs: Any) -> list[CheckMessage]:
    if settings.REGISTRATION not in REGISTRATION:
        detail = f'REGISTRATION is "{settings.REGISTRATION}"; it can be {", ".join(REGISTRATION)}.'
        return [Error(detail, id="tenants.E002")]
    if settings.REGISTRATION == "token" and not settings.REGISTRATION_TOKEN:
        return [Error("REGISTRATION=token needs a REGISTRATION_TOKEN.", id="tenants.E003")]
    return []


@register()
def rates_are_readable(**kwargs: Any) -> list[CheckMessage]:
    faults: list[CheckMessage] = []
    for name in ("API_RATE_LIMIT", "RECIPIENT_RATE_LIMIT", "CALLBACK_RATE_LIMIT"):
        try:
            parse_limit(getattr(settings, name))
        except ImproperlyConfigured as exc:
            faults.append(Error(f"{name}: {exc}", id="tenants.E004"))
    return faults
