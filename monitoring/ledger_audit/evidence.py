"""The two files that others kept, in order of id: sorted on disk, so that their size is no matter.

Both have one JSON object a line. What clients were told:
    {"id": "…", "tenant": "…", "key": "…"}             tenant and Idempotency-Key where known
What the receivers recorded:
    {"id": "…", "channel": "email", "at": 1790000000.5, "tenant": "…", "taken": true}
`id` is the notification's: of a mail the left part of its Message-ID, of a webhook its `webhook-id`; either may come in
whole. What was refused (`"taken": false`) is not counted.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CHUNK = 2_000
SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE told (id BLOB NOT NULL, tenant TEXT NOT NULL, key TEXT NOT NULL);
    CREATE TABLE received (id BLOB NOT NULL, tenant TEXT NOT NULL, channel TEXT NOT NULL);
"""
ORDER = "CREATE INDEX told_in_order ON told (id); CREATE INDEX received_in_order ON received (id);"
TOLD = "SELECT id, max(tenant) FROM told WHERE id > ? AND id <= ? GROUP BY id"
RECEIVED = "SELECT id, count(*), group_concat(DISTINCT tenant) FROM received WHERE id > ? AND id <= ? GROUP BY id"
FIRST, LAST = b"", b"\xff" * 17  # before and after every id


class Unreadable(Exception):
    """A line that is not what it should be; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """What came of one notification: how often, and at which tenants' receivers (where these say so)."""

    count: int
    tenants: frozenset[str]


class Evidence:
    """`channels`: those of which receivers kept a record; of the others nothing can be said."""

    def __init__(self, database: sqlite3.Connection, *, has_told: bool, until: float) -> None:
        self._database = database
        self.has_told, self.until = has_told, until
        self.channels = frozenset(row[0] for row in database.execute("SELECT DISTINCT channel FROM received"))

    def told(self, after: uuid.UUID | None, until: uuid.UUID | None) -> dict[uuid.UUID, str]:
        """Ids after one and up to another, with the tenant that was told."""
        rows = self._database.execute(TOLD, _range(after, until))
        return {uuid.UUID(bytes=row[0]): row[1] for row in rows}

    def received(self, after: uuid.UUID | None, until: uuid.UUID | None) -> dict[uuid.UUID, Receipts]:
        return {
            uuid.UUID(bytes=row[0]): Receipts(row[1], frozenset(filter(None, row[2].split(","))))
            for row in self._database.execute(RECEIVED, _range(after, until))
        }

    def told_in_chunks(self, after: uuid.UUID | None) -> Iterator[dict[uuid.UUID, str]]:
        """All that follow, a chunk at a time."""
        query = "SELECT DISTINCT id FROM told WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?"
        at = after
        while True:
            last = self._database.execute(query, [at.bytes if at else FIRST, CHUNK - 1]).fetchone()
            until = uuid.UUID(bytes=last[0]) if last else None
            if found := self.told(at, until):
                yield found
            if until is None:
                return
            at = until

    def keys_answered_twice(self) -> Iterator[tuple[uuid.UUID, int]]:
        """One id each, and how many the key's requests were told."""
        query = """SELECT min(id), count(DISTINCT id) AS ids FROM told WHERE key <> ''
                   GROUP BY tenant, key HAVING ids > 1"""
        for row in self._database.execute(query):
            yield uuid.UUID(bytes=row[0]), row[1]

    def count(self, table: str) -> int:
        return int(self._database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours


@contextmanager
def gathered(accepted: Path | None, received: Path | None) -> Iterator[Evidence]:
    """Both files read, until the block ends. Raises Unreadable."""
    with TemporaryDirectory(prefix="audit-") as folder, closing(sqlite3.connect(Path(folder) / "sorted")) as database:
        database.executescript(SCHEMA)
        if accepted:
            database.executemany("INSERT INTO told VALUES (?, ?, ?)", map(_told, lines_of(accepted)))
        if received:
            taken = (line for line in lines_of(received) if line.get("taken", True))
            database.executemany("INSERT INTO received VALUES (?, ?, ?)", map(_received, taken))
        database.commit()
        database.executescript(ORDER)
        yield Evidence(database, has_told=accepted is not None, until=time.time())


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The last line may be half written: its writer may have been killed."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                one = json.loads(line)
                one["id"] = id_in(str(one["id"]))
            except (ValueError, TypeError, KeyError) as error:
                if not line.endswith(b"\n"):
                    return
                raise Unreadable(f"{path}, line {number}: {error!r}") from None
            yield one


def id_in(text: str) -> uuid.UUID:
    """Of a bare id, or of a Message-ID in whole. Raises ValueError."""
    return uuid.UUID(text.strip().strip("<>").partition("@")[0])


def _told(line: Mapping[str, Any]) -> tuple[bytes, str, str]:
    return line["id"].bytes, str(line.get("tenant") or ""), str(line.get("key") or "")


def _received(line: Mapping[str, Any]) -> tuple[bytes, str, str]:
    return line["id"].bytes, str(line.get("tenant") or ""), str(line.get("channel") or "")


def _range(after: uuid.UUID | None, until: uuid.UUID | None) -> tuple[bytes, bytes]:
    return after.bytes if after else FIRST, until.bytes if until else LAST
