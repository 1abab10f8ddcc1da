"""Counts what a piece of code asks of PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.utils import CursorWrapper

READS = ("SELECT", "SHOW")


@dataclass(frozen=True)
class Cost:
    """`statements`: as they are executed, savepoints too; BEGIN and COMMIT are not among them.

    `commits`: of transactions, and of writing statements that are a transaction by themselves.
    """

    statements: int
    commits: int

    def __repr__(self) -> str:
        return f"Cost({self.statements}, {self.commits})"


@dataclass
class Counter:
    statements: list[str] = field(default_factory=list)
    commits: int = 0

    @property
    def cost(self) -> Cost:
        return Cost(len(self.statements), self.commits)

    def executed(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements.append(sql)
        if not connection.in_atomic_block and not sql.lstrip().upper().startswith(READS):
            self.commits += 1
        return execute(sql, params, many, context)


@contextmanager
def counted() -> Iterator[Counter]:
    """What this thread's connection executes and commits within the block."""
    counter, commit = Counter(), connection._commit  # type: ignore[attr-defined]

    def committing() -> Any:
        counter.commits += 1
        return commit()

    def copying(cursor: CursorWrapper, sql: str, *source: Any) -> Any:  # Django lets COPY past its wrappers
        return counter.executed(lambda *_: cursor.cursor.copy_expert(sql, *source), sql, None, False, {})

    with (
        patch.object(connection, "_commit", committing),
        patch.object(CursorWrapper, "copy_expert", copying, create=True),
        connection.execute_wrapper(counter.executed),
    ):
        yield counter
