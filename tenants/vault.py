"""Provider credentials at rest: AES-256-GCM, sealed for one row of one tenant.

A sealed text is `<key id>:<base64 of nonce + ciphertext>`. Tenant and row are authenticated with it, so a text copied
into another row does not open. The first key of the ring seals, all of them open.
"""

import base64
import binascii
import json
import os
import re
import uuid
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE = 12  # bytes
KEY = 32  # bytes
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
DERIVED = "derived"  # the id of the key made from SECRET_KEY


class Unopenable(Exception):
    """The sealed text is not for this row, was altered, or its key is gone from CREDENTIALS_KEYS."""


def seal(values: dict[str, str], *, tenant_id: uuid.UUID, integration_id: uuid.UUID) -> str:
    key_id, cipher = next(iter(_ring().items()))
    nonce = os.urandom(NONCE)
    sealed = cipher.encrypt(nonce, json.dumps(values).encode(), _belongs_to(tenant_id, integration_id))
    return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, *, tenant_id: uuid.UUID, integration_id: uuid.UUID) -> dict[str, str]:
    """What was sealed; an empty text holds nothing. Raises Unopenable."""
    if not sealed:
        return {}
    key_id, _, text = sealed.partition(":")
    cipher = _ring().get(key_id)
    if cipher is None:
        raise Unopenable(f'There is no key "{key_id}" in CREDENTIALS_KEYS.')
    try:
        raw = base64.b64decode(text, validate=True)
        opened = cipher.decrypt(raw[:NONCE], raw[NONCE:], _belongs_to(tenant_id, integration_id))
    except (binascii.Error, InvalidTag, ValueError) as exc:
        raise Unopenable("The sealed text was altered, or belongs to another row.") from exc
    values: dict[str, str] = json.loads(opened)
    return values


def current_key_id() -> str:
    """The id of the key that seals now."""
    return next(iter(_ring()))


def _belongs_to(tenant_id: uuid.UUID, integration_id: uuid.UUID) -> bytes:
    return tenant_id.bytes + integration_id.bytes


def _ring() -> dict[str, AESGCM]:
    return _ring_of(tuple(settings.CREDENTIALS_KEYS), settings.SECRET_KEY)


@lru_cache(maxsize=8)
def _ring_of(entries: tuple[str, ...], secret_key: str) -> dict[str, AESGCM]:
    """The named keys, then the derived one, which goes on opening what was sealed before there were named keys."""
    named = dict(_parsed(entry) for entry in entries if entry.strip())
    return named | {DERIVED: AESGCM(_derived(secret_key))}


def _parsed(entry: str) -> tuple[str, AESGCM]:
    key_id, _, text = entry.strip().partition(":")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if not KEY_ID.fullmatch(key_id) or key_id == DERIVED or len(raw) != KEY:
        raise ImproperlyConfigured(
            f'CREDENTIALS_KEYS: the entry "{key_id[:32]}" is not "id:base64 of 32 bytes". Make one with: '
            'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
        )
    return key_id, AESGCM(raw)


def _derived(secret_key: str) -> bytes:
    info = b"traffic-control provider credentials"
    return HKDF(algorithm=hashes.SHA256(), length=KEY, salt=None, info=info).derive(secret_key.encode())
