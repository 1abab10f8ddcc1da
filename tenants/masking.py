"""Addresses as a key without the scope `pii` sees them: enough to recognise one, too little to use it."""

import re

from tenants.models import ApiKey

HIDDEN = "•••"
WEB = re.compile(r"(https?://[^/?#]+)(.*)", re.IGNORECASE | re.DOTALL)


def shown(address: str, key: ApiKey) -> str:
    return address if "pii" in key.scopes else mask(address)


def mask(address: str) -> str:
    """`j•••@example.com`, `https://hooks.example.com/•••WXYZ`, `•••4567`. What is masked is never a valid address."""
    if not address:
        return ""
    if web := WEB.fullmatch(address):
        return f"{web[1]}/{HIDDEN}{_tail(web[2])}"
    name, at, domain = address.rpartition("@")
    if at and name:
        return f"{name[0]}{HIDDEN}@{domain}"
    return HIDDEN + _tail(address)


def _tail(text: str) -> str:
    return text[-4:] if len(text) > 8 else ""
