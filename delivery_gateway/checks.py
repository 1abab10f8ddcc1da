"""What `manage.py check`, and so the doctor, says of settings that only mail would suffer from."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.http.request import validate_host

from delivery_gateway.unsubscribe_links import base_of

BULK = "mail goes out without one-click unsubscribe, which large mailbox providers ask of bulk senders"


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
