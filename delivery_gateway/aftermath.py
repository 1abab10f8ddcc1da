"""Settles what worker processes of this machine left behind when they were killed, by their journals.

What had an outcome is recorded with it, what nobody had begun to send goes back to its lane as if nothing had been,
and what was on its way may have been sent: that alone is ambiguous. All at once, for the dead do not come back; and
only what is still held with the fence they held it with. Any number of processes may do this at any time.
"""

import fcntl
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from delivery_gateway import contract, leases
from delivery_gateway.contract import DeliveryError, Receipt
from delivery_gateway.flight import NOT_STARTED
from delivery_gateway.journal import SUFFIX, Row, header, install
from delivery_gateway.leases import Outcome
from delivery_gateway.models import NotificationLog
from delivery_gateway.states import Status
from traffic_control.crash_points import Point, crash_point
from traffic_control.outage import is_outage

log = logging.getLogger(__name__)

CHUNK = 500
CLAIM_TAKES = timedelta(seconds=10)  # at most
STRANGE_FOR = 24 * 3600.0  # seconds; then a file of another boot, or of another machine, is removed
LINE = re.compile(r"([chsf]) (\d+|[0-9a-f]{32}\.\d+)( .*)?")
ERRORS: Mapping[str, type[DeliveryError]] = {
    kind.error_class: kind
    for kind in vars(contract).values()
    if isinstance(kind, type) and issubclass(kind, DeliveryError)
}


@dataclass
class Story:
    """What a journal tells. `claims`: lane and lease of those whose rows nobody lived to see."""

    claims: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    held: set[Row] = field(default_factory=set)
    started: set[Row] = field(default_factory=set)
    answers: dict[Row, list[Any]] = field(default_factory=dict)


def settle() -> int:
    """How many rows there were to settle."""
    if not settings.JOURNAL_DIR:
        return 0
    return sum(_settled(path) for path in Path(settings.JOURNAL_DIR).glob(f"{install()}-*{SUFFIX}"))


def _settled(path: Path) -> int:
    """A file that nothing can be made of must not keep anybody from anything: leases decide then."""
    try:
        return _settle(path)
    except Exception as exc:
        if is_outage(exc):
            raise
        log.exception("a journal could not be settled; what it tells of waits for its leases")
        path.unlink(missing_ok=True)
        return 0


def _settle(path: Path) -> int:
    file = _inherited(path)
    if file is None:
        return 0
    try:
        with os.fdopen(file, encoding="utf-8", errors="replace", closefd=False) as opened:
            text = opened.read()
        if _is_strange(text, os.fstat(file).st_mtime):
            return 0
        story = read(text)
        settled = _record(story)
        crash_point(Point.JOURNAL_SETTLED)
        if not _may_come(story):
            path.unlink(missing_ok=True)
        return settled
    finally:
        os.close(file)


def _inherited(path: Path) -> int | None:
    """A dead process's file, locked for us alone; None while it lives, or when others have seen to it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(file).st_ino:
            return file
    os.close(file)
    return None


def _is_strange(text: str, written_at: float) -> bool:
    """Of another machine, which can say itself what of it is dead. Left alone, but not for ever."""
    return bool(text) and not text.startswith(header().decode()) and time.time() - written_at < STRANGE_FOR


def _may_come(story: Story) -> bool:
    """PostgreSQL may yet commit a claim whose client has died: such a file is read again for a while."""
    latest = timezone.now() + leases.LEASE - CLAIM_TAKES
    return any(lease_until > latest for _, lease_until in story.claims.values())


def read(text: str) -> Story:
    """Nothing is told by a text with a line that cannot be, or one that was begun before this machine was started:
    lines are missing there. The last line may be half a line: what comes after it has not happened."""
    first, *lines = text.split("\n")[:-1] or [""]
    story = Story()
    if f"{first}\n" != header().decode():
        return story
    for line in lines:
        found = LINE.fullmatch(line)
        try:
            _add(story, *(found.groups("") if found else ("", "", "")))
        except ValueError:
            log.warning("a journal has a line that cannot be; what it tells of waits for its leases")
            return Story()
    return story


def _add(story: Story, kind: str, key: str, rest: str) -> None:
    match kind:
        case "c":
            lane, lease_until = rest.split()
            story.claims[key] = (lane, datetime.fromisoformat(lease_until))
        case "h":
            story.claims.pop(key, None)
            story.held.update(_row(one) for one in rest.split())
        case "s" if not rest:
            story.started.add(_row(key))
        case "f":
            story.answers[_row(key)] = json.loads(rest)
        case _:
            raise ValueError(kind)


def _row(text: str) -> Row:
    row_id, fence = text.split(".")
    return uuid.UUID(row_id), int(fence)


def _record(story: Story) -> int:
    held = story.held.union(*(_claimed_until(*claim) for claim in story.claims.values()))
    rows, settled = sorted(held), 0
    for start in range(0, len(rows), CHUNK):
        with transaction.atomic():
            outcomes = [_outcome(row, story) for row in _still_held(rows[start : start + CHUNK])]
            if outcomes:
                leases.finish(outcomes)
        settled += len(outcomes)
    if settled:
        log.warning("settled what a killed worker left", extra={"count": settled})
    return settled


def _still_held(claims: Sequence[Row]) -> list[NotificationLog]:
    """Those that nobody has finished or claimed since, locked, as their claim saw them."""
    fences = dict(claims)
    rows = NotificationLog.objects.select_for_update().filter(id__in=list(fences), status=Status.SENDING)
    return [leases.as_claimed(row) for row in rows.order_by("id") if row.fence == fences[row.id]]


def _claimed_until(lane: str, lease_until: datetime) -> list[Row]:
    """Id and fence of what one claim holds yet."""
    rows = NotificationLog.objects.filter(lane=lane, status=Status.SENDING, lease_until=lease_until)
    return list(rows.values_list("id", "fence"))


def _outcome(row: NotificationLog, story: Story) -> Outcome:
    key = (row.id, row.fence)
    if answer := story.answers.get(key):
        with suppress(KeyError, TypeError, ValueError):  # the words of another version of this program
            return told(row, answer)
    if key in story.started:
        return leases.lapse(row)
    return Outcome(row, None, timezone.now(), step=NOT_STARTED)


def told(row: NotificationLog, answer: Sequence[Any]) -> Outcome:
    """What `journal.told` made this of."""
    kind, detail, http_status, started_at, duration_ms, integration, provider, *more = answer
    result: Receipt | DeliveryError
    if kind:
        code, retry_after = more
        result = ERRORS[kind](detail, code=code, http_status=http_status, retry_after=retry_after)
    else:
        result = Receipt(more[0], detail, http_status)
    return Outcome(
        row,
        result,
        datetime.fromisoformat(started_at),
        duration_ms=duration_ms,
        integration_id=integration and uuid.UUID(integration),
        provider=provider,
    )
