"""What `manage.py check`, and so the doctor and the image's entrypoint, say of this app's settings."""

from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.http.request import validate_host

from delivery_gateway.egress.addresses import Network
from traffic_control.signed_links import base_of

BULK = "mail goes out without one-click unsubscribe, which large mailbox providers ask of bulk senders"

HERE = tuple(ip_network(cidr) for cidr in ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10"))


@register("settings")
def allowed_networks_can_be_read(**kwargs: Any) -> list[CheckMessage]:
    try:
        _allowed()
    except ValueError as error:
        hint = "Write networks as 10.1.0.0/16, with commas."
        return [Error(f"EGRESS_ALLOW: {error}.", hint=hint, id="delivery.E002")]
    return []


@register("settings", deploy=True)
def tenants_cannot_reach_this_machine(**kwargs: Any) -> list[CheckMessage]:
    """Loopback is for tests, link-local for a cloud's metadata: neither is for tenants of a production install."""
    try:
        near = [network for network in _allowed() if is_near(network)]
    except ValueError:
        return []  # the check before says so
    hint = "Name the networks that are meant, and no more."
    told = "EGRESS_ALLOW has {}: tenants could reach this machine itself, or its cloud's metadata."
    return [Error(told.format(network), hint=hint, id="delivery.E003") for network in near]


def _allowed() -> list[Network]:
    return [ip_network(cidr.strip()) for cidr in settings.EGRESS_ALLOW]


def is_near(network: Network) -> bool:
    """`overlaps` compares the numbers only, so the versions have to be the same."""
    return any(type(network) is type(own) and network.overlaps(own) for own in HERE)


@register("settings")
def unsubscribe_links_can_be_made(**kwargs: Any) -> list[CheckMessage]:
    """Links are never made of a request's Host: workers have no request, and a Host header can be forged."""
    url = settings.PUBLIC_URL
    if url and not base_of(url):
        hint = "Write it as https://notify.example.com, with no query and no spaces."
        return [Error(f'PUBLIC_URL is "{url}", which is no address for links in mail.', hint=hint, id="delivery.E001")]
    if settings.DEBUG:
        return []
    if not url:
        hint = "Set it to the https address at which this install is reached from outside."
        return [Warning(f"PUBLIC_URL is not set: {BULK}.", hint=hint, id="delivery.W001")]
    return [*_without_tls(url), *_without_host(url)]


def _without_tls(url: str) -> list[CheckMessage]:
    if url.startswith("https:"):
        return []
    return [Warning(f"PUBLIC_URL is not https: {BULK}.", hint="RFC 8058 takes https only.", id="delivery.W002")]


def _without_host(url: str) -> list[CheckMessage]:
    host = urlsplit(url).netloc.rpartition(":")[0] or urlsplit(url).netloc
    if validate_host(host.lower(), settings.ALLOWED_HOSTS):
        return []
    told = f"PUBLIC_URL leads to {host}, which is not among ALLOWED_HOSTS: links in mail are answered with 400."
    return [Warning(told, hint=f"Add {host} to ALLOWED_HOSTS.", id="delivery.W003")]
