"""A PostgreSQL that forgets nothing and a Valkey that forgets everything, to be killed and brought back."""

import secrets
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import redis

from dev.binaries import postgres_bin, valkey_server
from dev.ports import free_port
from dev.postgres import Postgres
from dev.processes import Child, stop_all
from dev.valkey import Valkey

ROOM = 100 * 2**20  # bytes that Valkey may take
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT


@dataclass
class Servers:
    """Both, on ports that stay the same. fsync and synchronous_commit are on, as PostgreSQL comes."""

    postgres: Postgres
    valkey: Valkey
    running: dict[str, Child] = field(default_factory=dict)

    def start(self) -> None:
        self.start_postgres()
        self.start_valkey()

    def start_postgres(self) -> None:
        self.running["postgres"] = self.postgres.start()
        self.postgres.wait_until_ready(self.running["postgres"])

    def start_valkey(self) -> None:
        self.running["valkey"] = self.valkey.start()
        self.valkey.wait_until_ready(self.running["valkey"])
        self.broker(lambda one: one.config_set("maxmemory", ROOM))

    def stop_postgres(self, how: signal.Signals) -> None:
        """FAST ends transactions, IMMEDIATE ends the server as a crash would."""
        child = self.running.pop("postgres")
        child.process.send_signal(how)
        child.finish(30)

    def kill_valkey(self) -> None:
        self.running.pop("valkey").kill()

    def broker(self, command: Any) -> Any:
        with closing(redis.Redis.from_url(self.valkey.url, socket_timeout=5)) as one:
            return command(one)

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Straight to the database, past the proxy. Nothing while it is away."""
        with (
            suppress(psycopg2.OperationalError),
            closing(psycopg2.connect(self.postgres.url, connect_timeout=2)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(question, values)
            return list(cursor.fetchall())
        return []

    def do(self, order: str) -> None:
        """Straight to the database."""
        with closing(psycopg2.connect(self.postgres.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(order)

    def claims(self, lanes: Sequence[str]) -> frozenset[tuple[str, int]]:
        """Id and fence of what the workers of these lanes have claimed and not recorded: what a kill puts in doubt."""
        claimed = self.ask(
            "SELECT id::text, fence FROM delivery_gateway_notificationlog WHERE status = 'sending' AND lane = ANY(%s)",
            list(lanes),
        )
        return frozenset((row[0], row[1]) for row in claimed)

    def journeys(self, began: float) -> list[tuple[float, float]]:
        """Unix times at which each message since then was written, and sent."""
        times = "extract(epoch FROM created_at)::float, extract(epoch FROM sent_at)::float"
        since = "created_at >= to_timestamp(%s) AND sent_at IS NOT NULL"
        return self.ask(f"SELECT {times} FROM delivery_gateway_notificationlog WHERE {since}", began)

    def left(self) -> int:
        """Messages and events that have not come to their end. More than anything when nobody can tell."""
        found = self.ask("""
            SELECT (SELECT count(*) FROM delivery_gateway_notificationlog
                    WHERE status IN ('pending', 'queued', 'sending', 'scheduled'))
                 + (SELECT count(*) FROM notification_processor_event WHERE state IN ('accepted', 'generated'))""")
        return int(found[0][0]) if found else 2**31

    def stop(self) -> None:
        with suppress(Exception):
            stop_all(list(self.running.values())[::-1], seconds=10)


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    password = secrets.token_urlsafe(16)
    made = Servers(
        Postgres(folder=folder, binaries=postgres_bin(), port=free_port(), password=password, is_durable=True),
        Valkey(folder=folder, program=valkey_server(), port=free_port(), password=password, is_durable=False),
    )
    try:
        made.start()
        yield made
    finally:
        made.stop()
