"""Requests with bad keys, when there are many of them: refused before Django, and without a statement.

After EACH bad keys within WINDOW seconds, an address gets 429 for its further ones; and while many addresses together
send more than SLOWLY a second, the rest is refused with the usual 401, only sooner. A good key is let in from any
address at any time: others may stand behind the same one. All of it is counted by each web process for itself.
"""

import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address
from math import ceil
from typing import Any

from tenants import keys, refusals
from tenants.key_cache import KEYS
from traffic_control import threshold
from traffic_control.audit import address_in
from traffic_control.bare_answers import bare
from traffic_control.errors import Problem
from traffic_control.metrics import BAD_KEYS, count

WINDOW = 60.0  # seconds
EACH = 60
SLOWLY = 20  # a second
BOXES = 1 << 16
KEYED = ("/v1/", "/api/")
NOT_KEYED = ("/v1/inbox/", "/v1/callbacks/", "/v1/tenants/register/", "/api/schema/")


@dataclass
class Failures:
    """Bad keys by address, in BOXES boxes: as many bytes for a million addresses as for one.

    Addresses share boxes, so one may be told 429 for another's bad keys; but only when its own key is bad, too.
    """

    clock: Callable[[], float] = time.monotonic
    _boxes: "array[int]" = field(default_factory=lambda: array("H", bytes(2 * BOXES)))
    _since: float = float("-inf")
    _slow: tuple[int, int] = (0, 0)  # the second, and how many in it went the long way

    def note(self, address: str) -> int:
        """One more. Seconds to wait when there were too many; 0 while it may go on."""
        now = self.clock()
        if now - self._since >= WINDOW:
            self._boxes, self._since = array("H", bytes(2 * BOXES)), now
        box = box_of(address)
        if self._boxes[box] < EACH:
            self._boxes[box] += 1
            return 0
        return max(1, ceil(self._since + WINDOW - now))

    def note_slow(self) -> None:
        """One that Django had to look at."""
        second = int(self.clock())
        self._slow = (second, self._slow[1] + 1 if self._slow[0] == second else 1)

    def is_alarming(self, address: str) -> bool:
        """Whether bad keys from here are to be refused early."""
        now = self.clock()
        if now - self._since >= WINDOW:
            return False
        second, count = self._slow
        return self._boxes[box_of(address)] >= EACH or (second == int(now) and count >= SLOWLY)

    def forget(self) -> None:
        self._since = float("-inf")
        self._slow = (0, 0)


FAILURES = Failures()


def box_of(address: str) -> int:
    """Of IPv6 the network counts: whoever has one address has 2**64. Nobody outside can tell who shares a box."""
    if ":" in address:
        try:
            return hash(IPv6Address(address).packed[:8]) % BOXES
        except ValueError:
            pass
    return hash(address) % BOXES


def presented(meta: Mapping[str, Any]) -> str:
    """The key of a request, from its headers."""
    if raw := str(meta.get("HTTP_X_API_KEY", "")).strip():
        return raw
    scheme, _, raw = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    return raw.strip() if scheme.lower() == "bearer" else ""


def refused(meta: Mapping[str, Any]) -> Problem:
    """What to tell a request whose key is bad; counts it."""
    FAILURES.note_slow()
    return _problem(_noted(address_in(meta)))


def guard(environ: threshold.Environ) -> threshold.Answer | None:
    """Refuses a key that is bad beyond doubt from memory alone, when it is one of many."""
    raw = presented(environ)
    if not raw or not takes_keys(environ.get("PATH_INFO", "")):
        return None
    address = address_in(environ)
    if not FAILURES.is_alarming(address) or not is_surely_bad(raw):
        return None
    return bare(_kept_problem(_noted(address)), environ)


def takes_keys(path: str) -> bool:
    """Elsewhere a Bearer is something else: a user's token, a provider's, a scraper's."""
    return path.startswith(KEYED) and not path.startswith(NOT_KEYED)


def is_surely_bad(raw: str) -> bool:
    public_id = keys.public_id_of(raw)
    if public_id is None:
        return True
    key = KEYS.peek(public_id)
    if key is None:
        return KEYS.known.surely_lack(public_id)
    return not keys.is_good(raw, key)


def _noted(address: str) -> int:
    wait = FAILURES.note(address)
    count(BAD_KEYS, "429" if wait else "401")
    return wait


def _problem(wait: int) -> Problem:
    return refusals.too_many(wait) if wait else refusals.refused("invalid_api_key")


_kept_problem = lru_cache(maxsize=128)(_problem)  # never to be raised: whoever catches it would add to its traceback
