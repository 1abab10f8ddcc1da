"""A PostgreSQL of our own: made, started and reached without root, without Docker, without touching another one."""

import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psycopg2

from dev.binaries import postgres_major
from dev.console import refuse
from dev.ports import HOST
from dev.processes import Child, start
from dev.unprivileged import Account, account_for
from dev.waiting import wait_until

USER = "traffic_control"
DATABASE = "notification_db"
BUILTIN_LOCALE_SINCE = 17
IN_A_HURRY = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum_naptime=1h",
    "max_wal_size=4GB",
)


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One cluster in `folder`; without `is_durable` a power cut may cost the data, which suits tests."""

    folder: Path
    binaries: Path
    port: int
    password: str
    is_durable: bool
    setting: ClassVar[str] = "DATABASE_URL"

    @property
    def url(self) -> str:
        return f"postgres://{USER}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def start(self) -> Child:
        """Make the cluster if there is none, and start the server in the foreground of its own session."""
        account = account_for(self.binaries / "postgres", self.folder)
        cluster = account.folder / f"postgres-{postgres_major(self.binaries)}"
        if not (cluster / "PG_VERSION").exists():
            self.make_cluster(cluster, account)
        command: list[str | Path] = [
            *account.prefix,
            self.binaries / "postgres",
            "-D",
            cluster,
            f"-p{self.port}",
            *self.options(),
        ]
        with open(self.log, "wb") as log:
            return start(
                "postgres",
                command,
                output=log.fileno(),
                stop_signal=signal.SIGINT,
                last_resort=signal.SIGINT,
                run_as=account.identity,
            )

    def options(self) -> list[str]:
        options = [f"listen_addresses={HOST}", "unix_socket_directories=", "max_connections=300"]
        return [f"-c{option}" for option in (*options, *(() if self.is_durable else IN_A_HURRY))]

    def make_cluster(self, cluster: Path, account: Account) -> None:
        """initdb beside, then rename: a cluster half made by an interrupted first run is never used."""
        new = cluster.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        with account.private_file(self.password) as password:
            command = [*account.prefix, str(self.binaries / "initdb"), "-D", str(new), "-U", USER]
            command += ["-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--no-sync"]
            command += locale_options(postgres_major(self.binaries))
            made = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **account.identity
            )
        if made.returncode:
            refuse(f"PostgreSQL could not make its data folder {new}:\n{made.stdout.strip()}")
        new.rename(cluster)

    def wait_until_ready(self, child: Child) -> None:
        """Until a real connection succeeds and the database is there."""
        if not wait_until(lambda: succeeds(self.create_database), seconds=60, give_up=lambda: not child.is_running()):
            refuse(f"PostgreSQL did not start; its log {self.log} ends:\n{self.log.read_text()[-1500:]}")

    def create_database(self) -> None:
        server = self.url.removesuffix(DATABASE) + "postgres"
        with closing(psycopg2.connect(server, connect_timeout=2)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not cursor.fetchone():
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"


def succeeds(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except psycopg2.OperationalError:
        return False
    return True


def locale_options(major: int) -> list[str]:
    """UTF-8 the same everywhere: the builtin provider lower-cases Unicode without ICU and without system locales."""
    if major >= BUILTIN_LOCALE_SINCE:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]
