"""Which public ids there are, so that a flood of invented ones does not cost a statement each."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from tenants.models import ApiKey
from traffic_control.ids import uuid7_at
from traffic_control.scope import across_tenants

IN_VAIN = 20  # lookups a second that may find nothing before there is an alarm
ALARM = 10.0  # seconds that it lasts after the last id that nobody has
OVERLAP = timedelta(hours=1)  # read again each time: clocks differ, and transactions commit late


@dataclass
class KnownIds:
    """All public ids, at most `seconds` old, kept only while many are looked for in vain: some 100 bytes each.

    A key that was made in another process less than `seconds` ago may be refused during an alarm, and only then. What
    was deleted stays in here until it is looked for; what was revoked is still known.
    """

    seconds: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _ids: set[str] = field(default_factory=set)
    _read_at: float = float("-inf")
    _claimed_at: float = float("-inf")
    _alarm_until: float = float("-inf")
    _vain: tuple[int, int] = (0, 0)  # the second, and how many in it
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def may_have(self, public_id: str) -> bool:
        """Whether it is worth asking the database for the row. In an alarm this itself asks, every `seconds`."""
        now = self.clock()
        if now > self._alarm_until:
            if self._ids:
                self.forget()
            return True
        self._refresh()
        if public_id in self._ids:
            return True
        self._alarm_until = now + ALARM
        return False

    def surely_lack(self, public_id: str) -> bool:
        """From memory alone. When it is time to read again, one caller is not told, and so goes and reads."""
        now = self.clock()
        age = now - self._read_at
        if now > self._alarm_until or age > 2 * self.seconds or (age > self.seconds and self._claims(now)):
            return False
        if public_id in self._ids:
            return False
        self._alarm_until = now + ALARM
        return True

    def add(self, public_id: str) -> None:
        """One that was made in this process, which may be used before it is read."""
        if self.clock() <= self._alarm_until:
            self._ids.add(public_id)

    def looked_in_vain(self, public_id: str) -> None:
        """Raises the alarm when it happens often."""
        now = self.clock()
        self._ids.discard(public_id)
        second, count = self._vain
        self._vain = (int(now), count + 1 if second == int(now) else 1)
        if self._vain[1] >= IN_VAIN:
            if now > self._alarm_until:
                self.forget()
            self._alarm_until = now + ALARM

    def forget(self) -> None:
        """The ids, and whether there is an alarm."""
        with self._lock:
            self._ids, self._read_at = set(), float("-inf")
            self._alarm_until, self._vain = float("-inf"), (0, 0)

    def _claims(self, now: float) -> bool:
        """For one caller every `seconds`; two at the same instant do no harm."""
        if now - self._claimed_at <= self.seconds:
            return False
        self._claimed_at = now
        return True

    def _refresh(self) -> None:
        """The first time of an alarm all of them, then those that are new. Others wait for whoever reads."""
        with self._lock:
            now = self.clock()
            if now - self._read_at <= self.seconds:
                return
            rows = ApiKey.objects.all()
            if self._read_at > float("-inf"):
                since = timezone.now() - OVERLAP - timedelta(seconds=now - self._read_at)
                rows = rows.filter(id__gt=uuid7_at(since))
            with across_tenants():
                self._ids.update(rows.values_list("public_id", flat=True))
            self._read_at = now


KNOWN_IDS = KnownIds()
