"""The databases a run stands on: those the environment names, else a PostgreSQL and a Valkey of our own on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.binaries import postgres_bin, valkey_server
from dev.postgres import Postgres
from dev.processes import Child, stop_all
from dev.valkey import Valkey

STOP_SECONDS = 8.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where our own servers live. `is_durable`: fsync on and data worth keeping; off for tests."""

    folder: Path
    ports: Mapping[str, int]
    passwords: Mapping[str, str]
    is_durable: bool
    use_system_postgres: bool = False

    def postgres(self) -> Postgres:
        return Postgres(
            folder=self.folder,
            binaries=postgres_bin(system=self.use_system_postgres),
            port=self.ports["postgres"],
            password=self.passwords["POSTGRES_PASSWORD"],
            is_durable=self.is_durable,
        )

    def valkey(self) -> Valkey:
        return Valkey(
            folder=self.folder,
            program=valkey_server(),
            port=self.ports["valkey"],
            password=self.passwords["VALKEY_PASSWORD"],
            is_durable=self.is_durable,
        )


@dataclass(frozen=True)
class Reached:
    """Settings that lead to a database and a broker, and the servers that were started for them."""

    settings: dict[str, str]
    children: list[Child]


@contextmanager
def services(given: Mapping[str, str], place: Place) -> Iterator[Reached]:
    """Start what `given` does not name; what it names is used as it is."""
    children: list[Child] = []
    try:
        for server in missing(given, place):
            children.append(server.start())
            server.wait_until_ready(children[-1])
        yield Reached(addresses(given, place), children)
    finally:
        stop_all(children[::-1], seconds=STOP_SECONDS)


def addresses(given: Mapping[str, str], place: Place) -> dict[str, str]:
    """The settings that are not given, leading to our own servers, whether they run already or not."""
    settings: dict[str, str] = {}
    for server in missing(given, place):
        settings[server.setting] = server.url
    if not given.get("CELERY_BROKER_URL"):
        settings["CELERY_BROKER_URL"] = given.get("REDIS_URL") or settings["REDIS_URL"]
    return settings


def missing(given: Mapping[str, str], place: Place) -> list[Postgres | Valkey]:
    """The servers we must run ourselves. A broker that is a Redis serves as REDIS_URL too; RabbitMQ does not."""
    is_redis = given.get("CELERY_BROKER_URL", "").startswith(("redis:", "rediss:"))
    servers: list[Postgres | Valkey] = [] if given.get("DATABASE_URL") else [place.postgres()]
    return servers if given.get("REDIS_URL") or is_redis else [*servers, place.valkey()]
