"""What whoever has no good key is told."""

from traffic_control.errors import Problem

REALM = 'Bearer realm="api"'
REFUSAL = (
    "This call needs an API key in the X-API-KEY header. There was none, or it is unknown, expired or revoked: "
    "take one from POST /v1/api-keys/ or ask your operator."
)
TOO_MANY = (
    "Too many requests with a key that is unknown, expired or revoked came from this address, as this one did. "
    "Send a key that works, which is let in at once, or wait {wait} s."
)


def refused(code: str) -> Problem:
    """The same words whatever was wrong with the key."""
    return Problem(code, REFUSAL, status=401, headers={"WWW-Authenticate": REALM})


def too_many(wait: int) -> Problem:
    return Problem("too_many_bad_keys", TOO_MANY.format(wait=wait), status=429, headers={"Retry-After": str(wait)})
