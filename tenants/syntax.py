"""What a well-formed address or name is. Each check returns the text to keep, or raises ValueError with the reason."""

import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from traffic_control.faults import Fault
from traffic_control.spelling import did_you_mean

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
PHONE = re.compile(r"\+?[0-9]{7,15}")
PHONE_DRESSING = str.maketrans("", "", " ().-/")
TELEGRAM_CHAT = re.compile(r"-?[0-9]{1,18}|@[A-Za-z][A-Za-z0-9_]{3,31}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]{2,45}\]?")
MAX_URL = 2_000


def text(value: Any, *, max_length: int) -> str:
    """One line: control characters would split a mail header or a log line."""
    if not isinstance(value, str):
        raise ValueError(f"{quoted(value)} is not a text; write it in double quotes.")
    stripped = value.strip()
    if len(stripped) > max_length:
        raise ValueError(f"It has {len(stripped)} characters; at most {max_length} fit.")
    if CONTROL.search(stripped):
        raise ValueError("It has a line break or another control character; send one plain line.")
    return stripped


def email(value: Any) -> str:
    address = text(value, max_length=254)
    try:
        if "=?" in address:  # an encoded word: some servers decode it, and deliver to whoever comes out
            raise ValidationError("an encoded word")
        _email_validator()(address)
    except ValidationError as exc:
        raise ValueError(f"{quoted(address)} is not an e-mail address like ada@example.com.") from exc
    return address


@cache
def _email_validator() -> EmailValidator:
    return EmailValidator()


def phone(value: Any) -> str:
    """E.164, more or less; the dressing people write is taken off."""
    number = text(value, max_length=40).translate(PHONE_DRESSING)
    if not PHONE.fullmatch(number):
        raise ValueError(f"{quoted(value)} is not a phone number like +48123456789.")
    return number


def web_url(value: Any) -> str:
    """An http(s) URL without a password in it. Where it may lead is judged when something is sent."""
    url = text(value, max_length=MAX_URL)
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or re.search(r"\s", url) or not url.isascii():
        raise ValueError(f"{quoted(url)} is not a URL like https://example.com/hook.")
    if "@" in parts.netloc:
        raise ValueError("A URL may not have a user name or password in it.")
    return url


def origin(value: Any) -> str:
    """As a browser names it in its Origin header: scheme, host and port, in lower case, nothing behind."""
    url = web_url(value).rstrip("/").lower()
    parts = urlsplit(url)
    if parts.path or "?" in url or "#" in url or not HOST.fullmatch(parts.hostname or ""):
        raise ValueError(f"{quoted(value)} is not an origin like https://shop.example: leave out the path.")
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    return url.removesuffix(usual)


def telegram_chat(value: Any) -> str:
    chat = str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value, max_length=40)
    if not TELEGRAM_CHAT.fullmatch(chat):
        raise ValueError(f"{quoted(value)} is not a Telegram chat: a number like 123456789, or @channel_name.")
    return chat


def host(value: Any) -> str:
    name = text(value, max_length=253)
    if not HOST.fullmatch(name):
        raise ValueError(f"{quoted(name)} is not a host name like smtp.example.com.")
    return name


def quoted(value: Any) -> str:
    """A caller's value, short enough for an error message."""
    shown = str(value)
    return f'"{shown[:60]}…"' if len(shown) > 60 else f'"{shown}"'


def time_zone(value: Any) -> str:
    name = text(value, max_length=64)
    if name not in _time_zones():
        hint = did_you_mean(name, _time_zones())
        raise Fault(f"{quoted(name)} is not an IANA time zone like Europe/Warsaw.", hint=hint)
    return name


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
