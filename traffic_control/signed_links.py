"""Links that prove themselves: a short body signed for one purpose, and no row kept. They end with SECRET_KEY."""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from functools import lru_cache
from re import compile as pattern

from django.conf import settings

MAC = 12  # bytes
LONGEST = 512  # characters of a token
BASE = pattern(r"https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?")


class Forged(ValueError):
    """Not a token of ours, or altered since."""


class Expired(ValueError):
    """It was ours, a long time ago."""


@lru_cache(maxsize=4)
def base_of(public_url: str) -> str:
    """PUBLIC_URL, unless a mail header could not hold it."""
    return public_url if BASE.fullmatch(public_url) else ""


def signed(body: bytes, *, purpose: bytes) -> str:
    return _written(body + _mac(body, purpose))


def proven(token: str, *, purpose: bytes) -> bytes:
    """The body. Raises Forged, also for what was signed for another purpose."""
    if len(token) > LONGEST or not token.isascii():
        raise Forged("This is no link of ours.")
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except NotBase64:
        raw = b""
    body, mac = raw[:-MAC], raw[-MAC:]
    if not hmac.compare_digest(_mac(body, purpose), mac) or _written(raw) != token:
        raise Forged("This is no link of ours.")
    return body


def day_of(now: float | None = None) -> int:
    """The number of a day since 1970; of today, when no time is given."""
    return int(time.time() if now is None else now) // 86_400


def _written(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mac(body: bytes, purpose: bytes) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY, purpose), body, "sha256")[:MAC]


@lru_cache(maxsize=8)
def _key(secret_key: str, purpose: bytes) -> bytes:
    return hmac.digest(secret_key.encode(), purpose, "sha256")
