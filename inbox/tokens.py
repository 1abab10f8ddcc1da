"""Tokens of end users: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256, and no other kind.

There is one algorithm, so none can be chosen: whatever the header says but HS256 is refused before anything else of it
is believed. `kid` only looks up a row by its exact text. A library would bring the algorithms that we have to forbid.
"""

import base64
import binascii
import hmac
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tenants.inbox_secrets import Signer

AUDIENCE = "inbox"
READ, WRITE, CHOOSE = "inbox:read", "inbox:write", "prefs:write"
SCOPES = (READ, WRITE, CHOOSE)
LONGEST = 24 * 3600  # seconds from iat to exp
SKEW = 30  # seconds that clocks may differ
MAX_LENGTH = 4_096  # characters of a token
PART = re.compile(r"[A-Za-z0-9_-]+")


class Refused(Exception):
    """The token proves nothing. `is_expired` when it did: a fresh one will."""

    def __init__(self, detail: str, *, is_expired: bool = False) -> None:
        super().__init__(detail)
        self.is_expired = is_expired


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token proves: that the tenant speaks of this user, until `expires`."""

    signer: Signer
    user_id: str
    scopes: frozenset[str]
    issued: float
    expires: float


def sign(signer: Signer, user_id: str, *, now: float, seconds: int, scopes: tuple[str, ...] = SCOPES) -> str:
    header = {"alg": "HS256", "typ": "JWT", "kid": signer.kid}
    claims = {
        "iss": signer.tenant.slug, "sub": user_id, "aud": AUDIENCE, "iat": int(now), "exp": int(now) + seconds,
        "scope": " ".join(scopes),
    }  # fmt: skip
    said = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{said}.{_encoded(_signature(signer.secret, said))}"


def read(token: str, *, signer_of: Callable[[str], Signer | None], now: float) -> Claims:
    """Raises Refused. `signer_of` finds a signer by kid."""
    parts = token.split(".")
    if len(token) > MAX_LENGTH or len(parts) != 3 or not all(PART.fullmatch(part) for part in parts):
        raise Refused("It is not a signed JSON Web Token.")
    signer = signer_of(_kid(_decoded_object(parts[0])))
    said = f"{parts[0]}.{parts[1]}"
    # Compared with something also where there is nobody, so that both take the same time.
    expected = _signature(signer.secret if signer else b"nobody", said)
    if not hmac.compare_digest(expected, _decoded(parts[2])) or signer is None:
        raise Refused("Its signature is not that of an inbox secret of this tenant.")
    return _checked(signer, _decoded_object(parts[1]), now)


def _kid(header: dict[str, Any]) -> str:
    if header.get("alg") != "HS256":
        raise Refused("Its alg is not HS256.")
    if "crit" in header or header.get("b64", True) is not True:
        raise Refused("It asks for extensions.")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise Refused("Its typ is not JWT.")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise Refused("Its header has no kid: the one of the inbox secret.")
    return kid


def _checked(signer: Signer, claims: dict[str, Any], now: float) -> Claims:
    issued, expires = (_moment(claims, name) for name in ("iat", "exp"))
    audience = claims.get("aud")
    user_id = claims.get("sub")
    if claims.get("iss") != signer.tenant.slug:
        raise Refused("Its iss is not the tenant's slug.")
    if audience != AUDIENCE and not (isinstance(audience, list) and AUDIENCE in audience):
        raise Refused(f'Its aud is not "{AUDIENCE}".')
    if not isinstance(user_id, str) or not 1 <= len(user_id) <= 128 or "\0" in user_id:
        raise Refused("Its sub is not a user_id.")
    if not 0 < expires - issued <= LONGEST:
        raise Refused("It is valid for more than 24 hours, or for none: exp must follow iat by at most that.")
    if issued > now + SKEW or ("nbf" in claims and _moment(claims, "nbf") > now + SKEW):
        raise Refused("It is not valid yet; is the clock right?")
    if expires <= now - SKEW:
        raise Refused("It has expired.", is_expired=True)
    return Claims(signer, user_id, _scopes(claims), issued, expires)


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused(f"Its {name} is not a time in seconds.")
    return float(value)


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    said = claims.get("scope", " ".join(SCOPES))
    if not isinstance(said, str):
        raise Refused("Its scope is not a text.")
    return frozenset(said.split())


def _signature(secret: bytes, said: str) -> bytes:
    return hmac.digest(secret, said.encode(), "sha256")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as exc:
        raise Refused("It is not base64url.") from exc
    if _encoded(raw) != part:
        raise Refused("It is not base64url as it has to be written.")
    return raw


def _decoded_object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as exc:
        raise Refused("It is not JSON.") from exc
    if not isinstance(value, dict):
        raise Refused("It is not a JSON object.")
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may each take another one of two equal names."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found
