"""Brings a design up: its own database, Redis database, sinks and processes, all of which end with this process."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.servers import Servers
from dev.console import refuse
from dev.paths import ROOT
from dev.ports import free_port
from dev.processes import Child, start, stop_all
from dev.waiting import wait_until

READY_SECONDS = 60.0
STOP_SECONDS = 25.0


@dataclass(frozen=True, kw_only=True)
class Keys:
    """API keys: of a tenant with the customers of `bench.work`, and by size of those that broadcasts go to."""

    single: str
    audiences: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a design is given to run in."""

    name: str
    database_url: str
    redis_url: str
    logs: Path
    smtp_port: int
    sink_url: str
    web_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def hook(self) -> str:
        return f"{self.sink_url}/hook"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a design runs. `seed` is called when the web server answers, and tells the API keys to use.

    `make_audience`: makes a tenant with that many customers to broadcast to, and tells its key.
    """

    environment: Mapping[str, str]
    prepare: Sequence[Sequence[str]]
    web: Sequence[str]
    workers: Mapping[str, Sequence[str]]
    seed: Callable[[], Keys]
    make_audience: Callable[[int], str] | None = None


@dataclass(kw_only=True)
class System:
    """A design that is up."""

    place: Place
    recipe: Recipe
    sink: Child
    web: Child
    workers: list[Child] = field(default_factory=list)

    def charged(self) -> dict[str, int]:
        """The process trees whose CPU time is this design's own."""
        return {child.name: child.process.pid for child in (self.web, *self.workers)}

    def start_workers(self) -> None:
        self.workers = [launch(self.place, self.recipe, name) for name in self.recipe.workers]

    def stop_workers(self) -> None:
        stop_all(self.workers, seconds=STOP_SECONDS)
        self.workers = []

    def stop(self) -> None:
        stop_all([*self.workers, self.web, self.sink], seconds=STOP_SECONDS)


def make_place(name: str, servers: Servers, *, number: int, logs: Path) -> tuple[Place, Child]:
    """A database, a Redis database and sinks for one design."""
    sink = start("sinks", [sys.executable, "-m", "bench.sinks"], output=subprocess.PIPE)
    assert sink.process.stdout
    ports = json.loads(sink.process.stdout.readline())
    place = Place(
        name=name,
        database_url=servers.make_database(name),
        redis_url=servers.redis_database(number),
        logs=logs,
        smtp_port=ports["smtp_port"],
        sink_url=f"http://127.0.0.1:{ports['http_port']}",
    )
    return place, sink


def bring_up(place: Place, recipe: Recipe, sink: Child) -> System:
    """Prepares the database and starts the web server; seeding and workers come after it answers."""
    for command in recipe.prepare:
        _prepare(command, recipe)
    system = System(place=place, recipe=recipe, sink=sink, web=launch(place, recipe, "web"))
    if not wait_until(lambda: _answers(place.url), seconds=READY_SECONDS, give_up=lambda: not system.web.is_running()):
        refuse(f"{place.name} did not come up; see {_log(place, 'web')}")
    return system


def launch(place: Place, recipe: Recipe, name: str) -> Child:
    command = recipe.web if name == "web" else recipe.workers[name]
    with _log(place, name).open("ab") as log:
        return start(name, command, env=os.environ | recipe.environment, output=log.fileno())


def _log(place: Place, name: str) -> Path:
    return place.logs / f"{place.name}-{name}.log"


def _prepare(command: Sequence[str], recipe: Recipe) -> None:
    environment = os.environ | recipe.environment
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        refuse(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def _answers(url: str) -> bool:
    """Whether anything at all comes back: the root page may well be a 404."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
