"""API keys kept in the process for a few seconds, so that a request costs no query to know who calls."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from tenants.known_ids import KNOWN_IDS, KnownIds
from tenants.models import ApiKey
from traffic_control.scope import across_tenants

log = logging.getLogger(__name__)

USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass
class KeyCache:
    """Rows by public id, at most `seconds` old: the longest a revocation can take to hold in every process.

    Only rows that exist are kept, at most `size` of them; the oldest goes first. Rows are shared between threads and
    with `request.api_key` and `request.tenant`: nobody may change them.
    """

    seconds: float = 4.0
    size: int = 10_000
    clock: Callable[[], float] = time.monotonic
    known: KnownIds = field(default_factory=lambda: KNOWN_IDS)
    _rows: dict[str, tuple[float, ApiKey]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, public_id: str) -> ApiKey | None:
        """The key with its tenant; costs a query when it is not here or too old."""
        now = self.clock()
        if kept := self.peek(public_id):
            return kept
        self.forget(public_id)
        if not self.known.may_have(public_id):
            return None
        with across_tenants():  # whose it is, is the question
            key = ApiKey.objects.select_related("tenant").filter(public_id=public_id).first()
        if key is None:
            self.known.looked_in_vain(public_id)
        else:
            self._keep(public_id, now, key)
        return key

    def peek(self, public_id: str) -> ApiKey | None:
        """The key when it is here, and not too old."""
        kept = self._rows.get(public_id)
        return kept[1] if kept and self.clock() - kept[0] < self.seconds else None

    def forget(self, public_id: str) -> None:
        """In this process; the others follow within `seconds`."""
        with self._lock:
            self._rows.pop(public_id, None)

    def clear(self) -> None:
        """As at the start of the process."""
        with self._lock:
            self._rows.clear()
        self.known.forget()

    def _keep(self, public_id: str, now: float, key: ApiKey) -> None:
        with self._lock:
            self._rows[public_id] = (now, key)
            while len(self._rows) > self.size:
                del self._rows[next(iter(self._rows))]


def note_use(key: ApiKey) -> None:
    """Keeps `last_used_at` to the minute. The kept row remembers what was written, so most calls touch nothing."""
    now = timezone.now()
    before = now - USE_IS_NOTED_EVERY
    if key.last_used_at is not None and key.last_used_at > before:
        return
    key.last_used_at = now
    try:
        unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=before)
        ApiKey.objects.for_tenant(key.tenant_id).filter(unnoted, pk=key.pk).update(last_used_at=now)
    except DatabaseError as exc:  # the request itself does not depend on it
        log.warning("last use of a key not noted: %s", type(exc).__name__, extra={"tenant": key.tenant_id})


KEYS = KeyCache()
