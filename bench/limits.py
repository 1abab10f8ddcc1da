"""What the parts of the machine allow, each alone: the bounds that no design can pass."""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis

from bench import work
from bench.client import Client
from bench.cpu import Meter
from bench.database_limits import copied, prepare
from bench.http_wire import Target
from bench.noop import app, noop
from bench.servers import Servers
from bench.services import Place, make_place
from bench.smtp_wire import mails
from dev.binaries import postgres_bin
from dev.console import progress, refuse, say
from dev.processes import Child, start, stop_all
from dev.waiting import wait_until

ROUNDS = 3
REDIS_DATABASE = 60  # far from those of the designs, which count from 1
TASKS_PER_SECOND = 800  # about; decides how many are sent for a slice of a given length
INSERT = (
    "INSERT INTO bench_row VALUES (gen_random_uuid(), 1, 'email', 'ann@example.com', 'order',"
    " repeat('x', 250), 'pending', now(), now());\n"
)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The median of the undisturbed slices; of all, and marked, when there is none."""

    name: str
    title: str
    per_second: float
    is_disturbed: bool


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the loops run on."""

    place: Place
    sink: Child
    worker: Child
    servers: Servers


Loop = Callable[[Ground, float], float]  # seconds to run → times a second


def inserts(clients: int) -> Loop:
    """pgbench, one row and one commit each; prepared, as nothing that is written by hand would be."""

    def run(ground: Ground, seconds: float) -> float:
        script = ground.place.logs / "insert.sql"
        script.write_text(INSERT)
        url = urlsplit(ground.place.database_url)
        command = [str(postgres_bin() / "pgbench"), "-n", "-M", "prepared", "-f", str(script), "-c", str(clients)]
        command += ["-j", "1", "-T", str(max(1, round(seconds))), "-h", str(url.hostname), "-p", str(url.port)]
        environment = {"PGPASSWORD": url.password or ""}
        done = subprocess.run(
            [*command, "-U", str(url.username), url.path[1:]], capture_output=True, text=True, env=environment
        )
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        return float(found.group(1)) if found else refuse(f"pgbench failed:\n{done.stderr[-1000:]}")

    return run


def copy(ground: Ground, seconds: float) -> float:
    return copied(ground.place.database_url, seconds)


def tasks(ground: Ground, seconds: float) -> float:
    """Sent by one process and consumed by two; until the queue is empty and nothing is left to acknowledge."""
    number, began = round(TASKS_PER_SECOND * seconds), time.monotonic()
    for _ in range(number):
        noop.delay()
    with closing(redis.Redis.from_url(ground.place.redis_url)) as client:
        if not wait_until(lambda: not client.llen("celery") and not client.hlen("unacked"), seconds=60):
            refuse("The noop tasks were not consumed.")
    return number / (time.monotonic() - began)


def smtp(ground: Ground, seconds: float) -> float:
    return mails(ground.place.smtp_port, seconds)


def http(ground: Ground, seconds: float) -> float:
    _, body = work.single("webhook", ground.place.hook)
    client = Client(Target(ground.place.sink_url, "/hook", body, key=""), connections=4, seconds=seconds)
    took = client.run()
    return len(client.latencies) / took


LOOPS: Sequence[tuple[str, str, Loop]] = (
    ("insert-1", "rows inserted and committed one by one, pgbench, 1 client", inserts(1)),
    ("insert-8", "rows inserted and committed one by one, pgbench, 8 clients", inserts(8)),
    ("copy", "rows written by COPY, 5,000 at a time", copy),
    ("celery", "Celery tasks that do nothing, sent and consumed", tasks),
    ("smtp", "mails on one kept connection, raw socket, pipelined", smtp),
    ("http", "webhook posts on four kept connections, raw sockets", http),
)


def take(servers: Servers, *, seconds: float, logs: Path, foreign_limit: float) -> list[Limit]:
    """Short slices of each in turn, three times; each has the machine to itself."""
    progress("What the machine allows")
    with ground_for(servers, logs) as ground:
        tasks(ground, seconds=0.01)  # so that the worker is up
        slices = [_slice(ground, loop, seconds, name) for _ in range(ROUNDS) for name, _, loop in LOOPS]
    return [_limit(name, title, slices[at :: len(LOOPS)], foreign_limit) for at, (name, title, _) in enumerate(LOOPS)]


def _limit(name: str, title: str, slices: Sequence[tuple[float, float]], foreign_limit: float) -> Limit:
    quiet = [rate for rate, foreign in slices if foreign <= foreign_limit]
    rate = statistics.median(quiet or [rate for rate, _ in slices])
    return Limit(name=name, title=title, per_second=rate, is_disturbed=not quiet)


def _slice(ground: Ground, loop: Loop, seconds: float, name: str) -> tuple[float, float]:
    """(times a second, cores that others used)."""
    known = frozenset([ground.sink.process.pid, ground.worker.process.pid])
    meter = Meter(ground.servers.processes, known)
    first = meter.read()
    rate = loop(ground, seconds)
    foreign = meter.between(first, meter.read()).foreign_cores
    say(f"  {name:<12}{rate:>10,.0f}/s  others {foreign:.2f}")
    return rate, foreign


@contextmanager
def ground_for(servers: Servers, logs: Path) -> Iterator[Ground]:
    place, sink = make_place("limits", servers, number=REDIS_DATABASE, logs=logs)
    app.conf.update(broker_url=place.redis_url)
    prepare(place.database_url)
    command = [sys.executable, "-m", "celery", "-A", "bench.noop", "-q", "worker", "-l", "WARNING", "-c", "2"]
    with (logs / "noop-worker.log").open("ab") as log:
        worker = start("noop", command, env=os.environ | {"CELERY_BROKER_URL": place.redis_url}, output=log.fileno())
    try:
        yield Ground(place=place, sink=sink, worker=worker, servers=servers)
    finally:
        stop_all([worker, sink], seconds=10)
