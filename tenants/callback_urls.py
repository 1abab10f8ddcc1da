"""Where a provider calls back: a path of its own for each integration, which nobody can guess.

The path only finds the integration. Whether the call is its provider's, the signature says. Nothing is stored for it.
"""

import hmac
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

from django.conf import settings

from tenants.models import Integration

PATH = "/v1/callbacks/"
SECRET = "callback_secret"  # noqa: S105 - the name of a setting
PURPOSE = b"traffic_control callbacks "
LENGTH = 43  # characters: an id and a MAC of 16 bytes each


def url_for(row: Integration) -> str | None:
    """None while there is no secret that could prove a call. Relative without a PUBLIC_URL."""
    return f"{settings.PUBLIC_URL}{PATH}{token_for(row.id)}/" if SECRET in row.secret_hints else None


def token_for(integration_id: uuid.UUID) -> str:
    return urlsafe_b64encode(integration_id.bytes + _mac(integration_id.bytes)).rstrip(b"=").decode()


def integration_in(token: str) -> uuid.UUID | None:
    """The id, unless somebody made the token up."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "=")
    except NotBase64:
        return None
    body, mac = raw[:16], raw[16:]
    return uuid.UUID(bytes=body) if hmac.compare_digest(_mac(body), mac) else None


def _mac(body: bytes) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), PURPOSE + body, "sha256")[:16]
