"""The PostgreSQL and the Valkey that both designs share, each with databases of its own on them; and what they did."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from dev.binaries import postgres_bin, valkey_server
from dev.ports import free_port
from dev.postgres import Postgres
from dev.processes import Child, stop_all
from dev.valkey import Valkey

STOP_SECONDS = 10.0
WORK_DONE = """
    SELECT (SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE dbid = d.oid AND toplevel),
           pg_current_wal_lsn() - '0/0',
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    FROM pg_database AS d WHERE d.datname = %s"""


@dataclass(frozen=True)
class DatabaseWork:
    """What PostgreSQL did for one database: statements (BEGIN and COMMIT among them), bytes of WAL, and commits.

    Commits are those that wrote something, and so waited for the disk: transaction numbers given out meanwhile, which
    are exact at once, unlike pg_stat_database. They and the WAL are the whole server's; the other designs rest.
    """

    statements: int
    wal_bytes: int
    commits: int

    def since(self, earlier: "DatabaseWork") -> "DatabaseWork":
        return DatabaseWork(
            self.statements - earlier.statements, self.wal_bytes - earlier.wal_bytes, self.commits - earlier.commits
        )


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Both running, durable: fsync and synchronous_commit are on, as PostgreSQL comes."""

    postgres_url: str
    redis_url: str
    processes: dict[str, int]

    def make_database(self, name: str) -> str:
        """A new, empty database; its URL."""
        self._run(f'CREATE DATABASE "{name}"')
        return urlsplit(self.postgres_url)._replace(path=f"/{name}").geturl()

    def redis_database(self, number: int) -> str:
        return urlsplit(self.redis_url)._replace(path=f"/{number}").geturl()

    def work_done(self, name: str) -> DatabaseWork:
        return DatabaseWork(*map(int, self._run(WORK_DONE, name)[0]))

    def settings(self) -> dict[str, str]:
        """The settings that decide what a commit costs, and the version."""
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        return {name: str(self._run(f"SHOW {name}")[0][0]) for name in names}

    def _run(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.postgres_url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """New servers with their data in `folder`, until the block ends."""
    children: list[Child] = []
    password = secrets.token_urlsafe(16)
    postgres = Postgres(folder=folder, binaries=postgres_bin(), port=free_port(), password=password, is_durable=True)
    valkey = Valkey(folder=folder, program=valkey_server(), port=free_port(), password=password, is_durable=True)
    try:
        _count_statements(postgres, children)
        children.append(valkey.start())
        valkey.wait_until_ready(children[-1])
        yield Servers(
            postgres_url=postgres.url,
            redis_url=valkey.url,
            processes={child.name: child.process.pid for child in children},
        )
    finally:
        stop_all(children[::-1], seconds=STOP_SECONDS)


def _count_statements(postgres: Postgres, children: list[Child]) -> None:
    """Starts it, sets what only a restart takes, and starts it again."""
    for statement in (
        "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'",
        "CREATE EXTENSION pg_stat_statements",
    ):
        stop_all(children, seconds=STOP_SECONDS)
        children[:] = [postgres.start()]
        postgres.wait_until_ready(children[0])
        with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement)
