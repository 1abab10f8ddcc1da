"""Addresses as a key without the scope `pii` sees them: enough to recognise one, too little to use it."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

HIDDEN = "•••"
EMAIL = re.compile(r"[^\s<>\"'(),;:=@]+@[\w.-]+\w")
LINK = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.-])[+-]?\d{7,}(?![\w.-])")  # a telephone's, a chat's
ADDRESSES = frozenset({"to", "email", "phone"})  # fields of answers
WORDS = frozenset({"detail", "reason", "error", "provider_response"})  # of ours and of providers, which name addresses
WEB = re.compile(r"(https?://[^/?#]+)(.*)", re.IGNORECASE | re.DOTALL)


class Reader(Protocol):
    """An API key, or whoever else has scopes."""

    @property
    def scopes(self) -> list[str]: ...


def shown(address: str, key: Reader) -> str:
    return address if "pii" in key.scopes else mask(address)


def mask(address: str) -> str:
    """`j•••@example.com`, `https://hooks.example.com/•••WXYZ`, `•••4567`. What is masked is never a valid address."""
    if not address or HIDDEN in address:
        return address
    if web := WEB.fullmatch(address):
        return f"{web[1]}/{HIDDEN}{_tail(web[2])}"
    name, at, domain = address.rpartition("@")
    if at and name:
        return f"{name[0]}{HIDDEN}@{domain}"
    return HIDDEN + _tail(address)


def told(text: str, key: Reader, *, about: str = "") -> str:
    """What we or a provider said, which may name the address that it is `about`, or another one."""
    return text if "pii" in key.scopes else scrubbed(text, about=about)


def scrubbed(text: str, *, about: str = "") -> str:
    """Without anything that looks like an address, and without the one it is `about`, whatever that looks like."""
    if len(about) > 3:
        bare = about.removeprefix("+")
        text = re.sub(f"[+]?{re.escape(bare)}", mask(about), text, flags=re.IGNORECASE)
    for pattern in (LINK, EMAIL, NUMBER):
        text = pattern.sub(lambda found: mask(found[0]), text)
    return text


def masked_fields(value: Any, *, about: str = "") -> Any:
    """An answer with its addresses masked, by the names of its fields. Texts and payloads of the tenant stay."""
    if isinstance(value, Mapping):
        about = str(value.get("to") or about)
        is_address_shown = value.get("channel") == "in_app"
        return {
            name: one if name == "to" and is_address_shown else _masked_field(name, one, about)
            for name, one in value.items()
        }
    return [masked_fields(one, about=about) for one in value] if isinstance(value, list | tuple) else value


def _masked_field(name: str, value: Any, about: str) -> Any:
    if name == "addresses" and isinstance(value, Mapping):
        return {channel: mask(str(address)) for channel, address in value.items()}
    if isinstance(value, str) and name in ADDRESSES:
        return mask(value)
    return scrubbed(value, about=about) if isinstance(value, str) and name in WORDS else masked_fields(value)


def _tail(text: str) -> str:
    return text[-4:] if len(text) > 8 else ""
