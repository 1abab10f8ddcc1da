"""What crosses the border between ledger and channel: a Message goes in, a Receipt or a DeliveryError comes out."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

EXCERPT = 500  # characters of a provider's answer worth keeping


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered notification on its way to one address. `id` is stable over retries: providers deduplicate by it."""

    id: uuid.UUID
    channel: str
    address: str
    subject: str = ""
    body: str = ""
    html: str = ""
    event_type: str = ""
    event_id: uuid.UUID | None = None
    user_id: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    attempt: int = 1
    unsubscribe_url: str = ""  # in mail that is not critical


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider took it. `detail` is what it answered, at most EXCERPT characters, free of secrets."""

    provider_id: str = ""
    detail: str = ""
    http_status: int | None = None


class DeliveryError(Exception):
    """It was not delivered, or we cannot tell. The subclass says what to do next; `code` is the provider's word."""

    error_class = "unknown"

    def __init__(
        self, detail: str = "", *, code: str = "", http_status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail or code or self.error_class)
        self.detail, self.code = detail[:EXCERPT], code or self.error_class
        self.http_status, self.retry_after = http_status, retry_after


class Transient(DeliveryError):
    """Worth another try: 5xx, refused, DNS, SMTP 4xx. Nothing was delivered."""

    error_class = "transient"


class Throttled(DeliveryError):
    """429: come back after `retry_after` seconds. Does not count as an attempt."""

    error_class = "throttled"


class Ambiguous(DeliveryError):
    """Time-out or reset after the request was written: the provider may have delivered it."""

    error_class = "ambiguous"


class RecipientGone(DeliveryError):
    """This address is dead or opted out: suppress it on this channel."""

    error_class = "recipient"


class ContentRejected(DeliveryError):
    """The provider will never take this content."""

    error_class = "content"


class Misconfigured(DeliveryError):
    """The credentials or the hook are wrong: pause the integration and tell the operator."""

    error_class = "config"


class Channel(Protocol):
    """One way out, for one set of credentials. Instances are immutable and shared between threads.

    `send` may open connections (only through `delivery_gateway.egress`), must end within 15 s of wall time, must not
    touch the database, and raises a DeliveryError for anything but success; whatever else it raises counts as
    ambiguous.
    """

    def send(self, message: Message) -> Receipt: ...

    def close(self) -> None:
        """Gives up kept connections; the instance may be used again."""


@runtime_checkable
class Provable(Protocol):
    """A channel that can show that it would reach its provider, without sending anything to anybody."""

    def prove(self, address: str) -> str:
        """What was found, in a few words free of secrets; empty when there was nothing to ask. Raises DeliveryError.

        `address`: where messages without one of their own go, or empty.
        """
