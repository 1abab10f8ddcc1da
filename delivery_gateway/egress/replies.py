"""What came back over HTTP, and when it asks us to come again."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

MIN_RETRY_AFTER, MAX_RETRY_AFTER = 1.0, 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` is at most the policy's `reply_bytes`, and empty when the server compressed it unasked."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        return retry_after_seconds(self.headers.get("retry-after", ""))


def retry_after_seconds(value: str, *, now: float | None = None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110: seconds or a date), from 1 to 3600; None when it says nothing."""
    value = value.strip()
    if value.replace(".", "", 1).isdecimal() and value.isascii():
        return clamp_retry_after(float(value))
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return clamp_retry_after(moment.timestamp() - (time.time() if now is None else now))


def clamp_retry_after(seconds: float) -> float:
    return min(max(seconds, MIN_RETRY_AFTER), MAX_RETRY_AFTER)
