"""The home of `make run`: what it keeps in DEV_DIR between runs, and the servers that live there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.environment import dev_dir, given, kept_secrets, product_settings
from dev.lock import alone_in, is_held
from dev.ports import kept_ports, last_ports
from dev.services import Place, Reached, addresses, services

SECRETS = ("SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD")
PORTS = ("postgres", "valkey", "smtp", "catcher", "streams")


@dataclass(frozen=True, kw_only=True)
class Home:
    """One DEV_DIR with its servers up; `env` is what the processes of the product get."""

    folder: Path
    ports: Mapping[str, int]
    reached: Reached
    env: dict[str, str]


@contextmanager
def home() -> Iterator[Home]:
    """DEV_DIR for ourselves alone, with the servers it takes."""
    folder = dev_dir()
    with alone_in(folder):
        ports = kept_ports(folder / "ports.json", PORTS)
        secrets = kept_secrets(folder / "env", SECRETS)
        with services(given(), place(folder, ports, secrets)) as reached:
            env = product_settings(given(), reached.settings, secrets=secrets, ports=ports)
            yield Home(folder=folder, ports=ports, reached=reached, env=env)


@contextmanager
def joined_home() -> Iterator[dict[str, str]]:
    """The settings of the product that is running; if none is, its servers run for as long as this takes."""
    folder = dev_dir()
    if not is_held(folder):
        with home() as alone:
            yield alone.env
        return
    ports = last_ports(folder / "ports.json")
    secrets = kept_secrets(folder / "env", SECRETS)
    yield product_settings(given(), addresses(given(), place(folder, ports, secrets)), secrets=secrets, ports=ports)


def place(folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str]) -> Place:
    return Place(folder=folder, ports=ports, passwords=secrets, is_durable=True)
