"""What this process holds and how far it is with it, on this machine's own disk: for whoever comes after a kill.

A line before each claim, one after it with the rows, one before a message leaves and one when its outcome is known; all
in the page cache, none synced. Each file is locked by its process, so a file that can be locked belonged to one
that is dead: `delivery_gateway.aftermath` settles what it says. The header names the boot of the machine: after a crash
of the machine itself, lines may be missing, and such a file says nothing.

A line that cannot be written makes its whole file void before the message leaves. Then leases decide, as ever.
"""

import fcntl
import itertools
import json
import logging
import os
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from django.conf import settings
from django.db import connection

from delivery_gateway.contract import Receipt
from delivery_gateway.models import NotificationLog

if TYPE_CHECKING:  # it is what they import
    from delivery_gateway.leases import Outcome

log = logging.getLogger(__name__)

SUFFIX = ".journal"
FULL = 512 * 1024  # bytes after which a file takes no more claims
FORGET = 120.0  # seconds after which nothing is held that a file tells of: its leases are over
Holds = Callable[[Sequence[NotificationLog]], None]
Row = tuple[uuid.UUID, int]  # its id, and the fence it is held with


class Page:
    """One file, locked until this process ends. `held` counts claims under way, and rows that are not recorded yet."""

    def __init__(self, path: Path) -> None:
        self.path, self.held, self.is_void, self.claimed_at = path, 0, False, time.monotonic()
        new = path.with_suffix(".new")  # nobody looks for it until it is locked
        self._file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        weakref.finalize(self, os.close, self._file)  # not before the last thread that writes has let go of it
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.size = 0
        self.write(header().decode())
        new.rename(path)

    def write(self, line: str) -> None:
        if self.is_void:
            return
        data = line.encode()
        try:
            if os.write(self._file, data) == len(data):
                self.size += len(data)
                return
        except OSError as exc:
            log.warning("the journal cannot be written (%s)", exc.strerror)
        self._make_void()

    def _make_void(self) -> None:
        self.is_void = True
        with suppress(OSError):
            os.ftruncate(self._file, 0)
        self.discard()

    def clear(self) -> None:
        """Nothing in it is held any more."""
        try:
            os.ftruncate(self._file, len(header()))
            self.size = len(header())
        except OSError:
            self._make_void()

    def unlock(self) -> None:
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def discard(self) -> None:
        with suppress(OSError):
            self.path.unlink()


class Journal:
    """Of one process; threads may write at the same time. Nothing here raises but `__init__`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers, self._lock = folder, itertools.count(), threading.Lock()
        self._pages: dict[Row, Page] = {}
        self._former: list[Page] = []
        self._page = self._new()

    def claiming(self, lane: str, lease_until: datetime) -> Holds:
        """Call it before the claim, and what it gives with the claimed rows: if nobody lives to see these, they are
        found by their lease."""
        with self._lock:
            self._tidy()
            page, number = self._page, next(self._numbers)
            page.held += 1
            page.claimed_at = time.monotonic()
        page.write(f"c {number} {lane} {lease_until.isoformat()}\n")
        return partial(self._hold, page, number)

    def _hold(self, page: Page, number: int, rows: Sequence[NotificationLog]) -> None:
        page.write(f"h {number} {' '.join(f'{row.id.hex}.{row.fence}' for row in rows)}\n")
        with self._lock:
            page.held += len(rows) - 1
            self._pages.update(((row.id, row.fence), page) for row in rows)

    def started(self, row: NotificationLog) -> None:
        """Before the first byte leaves."""
        if page := self._pages.get((row.id, row.fence)):
            page.write(f"s {row.id.hex}.{row.fence}\n")

    def finished(self, outcome: "Outcome") -> None:
        """Once the provider has answered, or has not."""
        row = outcome.row
        if page := self._pages.get((row.id, row.fence)):
            page.write(f"f {row.id.hex}.{row.fence} {told(outcome)}\n")

    def recorded(self, outcomes: Iterable["Outcome"]) -> None:
        """They are in PostgreSQL."""
        with self._lock:
            for outcome in outcomes:
                if page := self._pages.pop((outcome.row.id, outcome.row.fence), None):
                    page.held -= 1

    def close(self) -> None:
        """Whatever is still in it may be settled by others: this process begins nothing more."""
        with self._lock:
            for page in (self._page, *self._former):
                page.unlock()

    def _tidy(self) -> None:
        """Keeps files small: the one in use begins anew, or makes way for another until all of it is recorded."""
        page, forgotten = self._page, time.monotonic() - FORGET
        if page.size > FULL and not page.held and not page.is_void:
            page.clear()
        elif page.size > FULL or (page.is_void and page.claimed_at < forgotten):
            self._turn()
        for former in [one for one in self._former if not one.held or one.claimed_at < forgotten]:
            self._drop(former)

    def _turn(self) -> None:
        with suppress(OSError):  # then the one in use has to do
            self._page, former = self._new(), self._page
            self._former.append(former)

    def _drop(self, page: Page) -> None:
        page.discard()
        self._former.remove(page)
        if page.held:
            self._pages = {row: other for row, other in self._pages.items() if other is not page}

    def _new(self) -> Page:
        return Page(self._folder / f"{install()}-{uuid.uuid4().hex}{SUFFIX}")


class Off:
    """No journal is kept."""

    def claiming(self, lane: str, lease_until: datetime) -> Holds:
        return lambda rows: None

    def started(self, row: NotificationLog) -> None: ...

    def finished(self, outcome: "Outcome") -> None: ...

    def recorded(self, outcomes: Iterable["Outcome"]) -> None: ...

    def close(self) -> None: ...


def of_process() -> Journal | Off:
    return _journal(os.getpid(), settings.JOURNAL_DIR)


@lru_cache(maxsize=1)
def _journal(pid: int, folder: str) -> Journal | Off:
    """Made after the fork; what a parent had open is closed here, and stays locked there."""
    if not folder:
        return Off()
    try:
        return Journal(private(Path(folder)))
    except OSError as exc:
        log.warning("no journal is kept in %s (%s); what a killed worker held waits for its lease", folder, exc)
        return Off()


def private(folder: Path) -> Path:
    """Made if it is missing. Raises OSError unless it belongs to us, and nobody else may write into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError("others may write there")
    return folder


@lru_cache(maxsize=1)
def header() -> bytes:
    """Of files that were begun since this machine was started. Raises OSError where nobody can tell."""
    return f"journal 1 {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}\n".encode()


def install() -> str:
    """Several installs may keep their journals in one folder: each has a database of its own."""
    where = [str(connection.settings_dict[name]) for name in ("HOST", "PORT", "NAME")]
    return sha256("\0".join(where).encode()).hexdigest()[:12]


def told(outcome: "Outcome") -> str:
    """What `aftermath` needs to record it."""
    result, integration = outcome.result, outcome.integration_id
    assert result is not None  # noqa: S101 - only calls are told of
    by = (integration.hex if integration else None, outcome.provider)
    words: tuple[object, ...] = (
        result.detail,
        result.http_status,
        outcome.started_at.isoformat(),
        outcome.duration_ms,
        *by,
    )
    if isinstance(result, Receipt):
        words = ("", *words, result.provider_id)
    else:
        words = (result.error_class, *words, result.code, result.retry_after)
    try:
        return orjson.dumps(words).decode()
    except orjson.JSONEncodeError:  # half a character
        return json.dumps(words)
