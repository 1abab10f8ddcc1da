"""API keys: `sk_live_<public id>_<secret>`. 256 random bits, of which only a keyed hash is stored, and a checksum.

A fast hash is right here: the entropy makes guessing hopeless, and a slow one would let anybody burn the processor
with bad keys.
"""

import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tenants import scopes as known_scopes
from tenants.checksum import checksum_of, is_whole
from tenants.key_cache import KEYS
from tenants.models import ApiKey, Tenant

SHAPE = re.compile(
    r"sk_(?:live|test)_([0-9a-f]{16})_[A-Za-z0-9_-]{43}([0-9A-Za-z]{6})?"
)  # the first ones had no checksum
NOBODY = "0" * 64  # compared with when there is no such key, so that both cases take the same time


@transaction.atomic(savepoint=False)
def issue(
    tenant: Tenant, mode: str, *, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """The stored key and its raw form, which exists nowhere else from here on."""
    public_id = secrets.token_hex(8)
    raw = f"sk_{mode}_{public_id}_{secrets.token_urlsafe(32)}"
    raw += checksum_of(raw)
    key = ApiKey.objects.create(
        tenant=tenant,
        mode=mode,
        name=name,
        public_id=public_id,
        secret_hash=hash_of(raw),
        last_four=raw[-4:],
        scopes=known_scopes.in_order(scopes),
        expires_at=expires_at,
    )
    KEYS.known.add(public_id)
    return key, raw


def public_id_of(raw: str) -> str | None:
    """None when this cannot be a key of ours."""
    found = SHAPE.fullmatch(raw)
    if found is None or (found[2] and not is_whole(raw)):
        return None
    return found[1]


def proves(raw: str, key: ApiKey | None) -> bool:
    """Whether `raw` is the secret of `key`; takes the same time for a key that does not exist."""
    return hmac.compare_digest(hash_of(raw), key.secret_hash if key else NOBODY) and key is not None


def is_good(raw: str, key: ApiKey | None) -> bool:
    """Whether `raw` proves a key that is neither revoked nor expired."""
    if not proves(raw, key) or key is None or key.revoked_at is not None:
        return False
    return key.expires_at is None or key.expires_at > timezone.now()


def hash_of(raw: str) -> str:
    """Over the whole key, mode included: a test key does not become a live one by spelling."""
    return hmac.digest(settings.API_KEY_PEPPER.encode(), raw.encode(), "sha256").hex()
