"""What the channels over HTTP share: what a status means when the provider gives it no meaning of its own."""

from collections.abc import Callable, Mapping

from delivery_gateway.contract import ContentRejected, DeliveryError, Misconfigured, Throttled, Transient
from delivery_gateway.egress import Reply
from delivery_gateway.egress.destination import Unreadable, read_url

CLASSES: Mapping[int, type[DeliveryError]] = {
    401: Misconfigured,
    403: Misconfigured,
    404: Misconfigured,
    408: Transient,
    410: Misconfigured,
    425: Transient,
    429: Throttled,
}


def refusal(
    reply: Reply, classes: Mapping[int, type[DeliveryError]] | None = None, *, code: str = "", detail: str = ""
) -> DeliveryError:
    """The error for a reply that is no success; `classes` are the provider's own meanings."""
    status = reply.status
    if 300 <= status < 400:
        code, detail = "redirect", f"Answered with a redirect ({status}), which is never followed: set the final URL."
    kind = (classes or {}).get(status) or CLASSES.get(status) or _class_of(status)
    return kind(
        detail or reply.text or f"HTTP {status}",
        code=code or f"http_{status}",
        http_status=status,
        retry_after=reply.retry_after,
    )


def _class_of(status: int) -> type[DeliveryError]:
    if status >= 500:
        return Transient
    return ContentRejected if status >= 400 else Misconfigured


def read_hook(text: str) -> str:
    """The URL in `text`, as given but for spaces around it. Raises ValueError."""
    url = text.strip()
    try:
        read_url(url)
    except Unreadable as error:
        raise ValueError(f"The URL {error}.") from None
    return url


def shorten(text: str, limit: int, *, measure: Callable[[str], int] = len) -> str:
    """`text`, cut with "…" so that `measure` of it is at most `limit`. Cuts at a space where one is near."""
    if measure(text) <= limit:
        return text
    low, high = 0, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle] + "…") <= limit else (low, middle - 1)
    kept = text[:low]
    space = kept.rfind(" ", max(0, low - 40))
    return (kept[:space] if space > 0 else kept).rstrip() + "…"
