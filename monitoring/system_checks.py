"""Settings of this app that would otherwise fail at the first scrape."""

from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register("settings")
def metrics_allow_names_networks(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(f"METRICS_ALLOW: {problem}.", id="monitoring.E001")
        for problem in map(_problem, settings.METRICS_ALLOW)
        if problem
    ]


def _problem(cidr: str) -> str:
    try:
        ip_network(cidr.strip(), strict=False)
    except ValueError as exc:
        return str(exc)
    return ""
