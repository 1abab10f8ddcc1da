"""What a flood of bad keys costs those with good ones: `python -m bench.bad_keys [--rate 5000]`.

The web processes of a production install take a steady load of messages. Three kinds of slices alternate:

- alone: nothing else;
- beside a flood elsewhere: the attacker sends its keys to a server that says 401 without looking, so that what the
  attacker itself takes from the machine's cores and its network is seen apart;
- beside the flood: the attacker sends the same to the product.

Latencies count from when a request was due. What counts is the ratio of two p95 within a round, and of those the
median.
"""

import argparse
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bench import product_design
from bench.cpu import machine_seconds, tree_seconds
from bench.machine import description
from bench.paced import Kept, Timetable, keep
from bench.product_api import Api
from bench.servers import servers
from bench.services import System, bring_up, make_place
from bench.tables import markdown
from dev.console import progress, refuse, say
from dev.ports import free_port
from dev.processes import Child, start, stop_all

MESSAGE = {"channel": "email", "to": "ann@example.com", "subject": "Hello", "body": "Hello"}
VARIANTS = 2_000  # of each kind of bad key
CONNECTIONS = 64  # of the attacker
BURST = 10  # of its keys at once
ONE, MANY = ("127.0.0.1",), tuple(f"127.0.1.{n}" for n in range(1, CONNECTIONS + 1))
HEAD_START = 0.5  # seconds that the flood runs before the good load


@dataclass(frozen=True)
class Flood:
    title: str
    key: Callable[[str], str]  # from a good one
    sources: Sequence[str] = ONE


def invented(good: str) -> str:
    return f"sk_live_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"


def wrong_secret(good: str) -> str:
    return good.rpartition("_")[0] + "_" + secrets.token_urlsafe(32)


FLOODS = (
    Flood("invented keys, one address", invented),
    Flood(f"invented keys, {CONNECTIONS} addresses", invented, MANY),
    Flood("an existing id with wrong secrets", wrong_secret),
    Flood("keys of another shape", lambda good: secrets.token_urlsafe(24)),
)


@dataclass(frozen=True)
class Ground:
    system: System
    trivial_url: str
    key: str
    given: argparse.Namespace


def post(url: str, key: str) -> bytes:
    body = json.dumps(MESSAGE).encode()
    head = f"POST /v1/notify/ HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\nX-API-KEY: {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def ground(given: argparse.Namespace) -> Iterator[Ground]:
    children: list[Child] = []
    with tempfile.TemporaryDirectory(prefix="bad-keys-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        with servers(Path(folder)) as both:
            place, sink = make_place("bad_keys", both, number=1, logs=Path(folder))
            system = bring_up(place, product_design.recipe(place), sink)
            port = free_port()
            children.append(start("trivial", [sys.executable, "-m", "bench.trivial", str(port)]))
            try:
                key = Api.at(place.url).register("Paper & Pens").key
                yield Ground(system, f"http://127.0.0.1:{port}", key, given)
            finally:
                stop_all(children, seconds=5)
                system.stop()


@dataclass(frozen=True)
class Slice:
    """`web_seconds`: CPU time of the web processes. `foreign_cores`: what programs that are not ours took."""

    good: Kept
    attack: Kept | None
    web_seconds: float
    foreign_cores: float

    @property
    def p95(self) -> float:
        return self.good.quantile(0.95)


Round = tuple[Slice, Slice, Slice]  # alone, beside a flood elsewhere, beside the flood


class Rounds:
    def __init__(self, ground: Ground, pool: ProcessPoolExecutor) -> None:
        self.ground, self.pool, self.given = ground, pool, ground.given
        url, given = ground.system.place.url, ground.given
        self.good = Timetable(url=url, requests=[post(url, ground.key)], rate=given.good, seconds=given.seconds)

    def take(self, flood: Flood) -> list[Round]:
        """Those that nobody disturbed; after `--tries` rounds the least disturbed."""
        progress(flood.title)
        self.round(flood)  # warms up
        rounds: list[Round] = []
        for _ in range(self.given.tries):
            rounds.append(self.round(flood))
            rounds.sort(key=disturbance)
            if len(rounds) >= self.given.rounds and disturbance(rounds[self.given.rounds - 1]) <= self.given.foreign:
                break
        return rounds[: self.given.rounds]

    def round(self, flood: Flood) -> Round:
        trivial, product = self.ground.trivial_url, self.ground.system.place.url
        return self.slice(), self.slice(flood, at=trivial), self.slice(flood, at=product)

    def slice(self, flood: Flood | None = None, *, at: str = "") -> Slice:
        web, ours = self.ground.system.web.process.pid, os.getpid()
        attack = self.pool.submit(keep, self.attack(flood, at)) if flood else None
        time.sleep(HEAD_START)
        first, began = (tree_seconds([web, ours]), machine_seconds()[0]), time.monotonic()
        good = self.pool.submit(keep, self.good).result()
        last, took = (tree_seconds([web, ours]), machine_seconds()[0]), time.monotonic() - began
        if wrong := good.statuses.keys() - {202}:
            refuse(f"Good requests were answered with {wrong}.")
        used = sum(last[0].values()) - sum(first[0].values())
        foreign = max(0.0, last[1] - first[1] - used) / took
        return Slice(good, attack.result() if attack else None, last[0][web] - first[0][web], foreign)

    def attack(self, flood: Flood, at: str) -> Timetable:
        return Timetable(
            url=at,
            requests=[post(at, flood.key(self.ground.key)) for _ in range(VARIANTS)],
            rate=self.given.rate,
            seconds=self.given.seconds + 2 * HEAD_START,
            connections=CONNECTIONS,
            sources=flood.sources,
            burst=BURST,
        )


def disturbance(one: Round) -> float:
    return max(part.foreign_cores for part in one)


def row(flood: Flood, rounds: Sequence[Round], *, seconds: float) -> list[str]:
    attacks = [beside.attack for _, _, beside in rounds if beside.attack]
    rate = statistics.median(one.rate for one in attacks)
    statuses = sorted({status for one in attacks for status in one.statuses})
    cost = statistics.median((beside.web_seconds - alone.web_seconds) / (rate * seconds) for alone, _, beside in rounds)
    times = [f"{1000 * statistics.median(part.p95 for part in parts):.2f}" for parts in zip(*rounds, strict=True)]
    over_alone = statistics.median(beside.p95 / alone.p95 for alone, _, beside in rounds)
    over_elsewhere = statistics.median(beside.p95 / elsewhere.p95 for _, elsewhere, beside in rounds)
    ratios = (f"{over_alone:.2f}", f"{over_elsewhere:.2f}")
    foreign = f"{max(map(disturbance, rounds)):.2f}"
    return [flood.title, f"{rate:,.0f}", " ".join(map(str, statuses)), f"{1e6 * cost:.0f}", *times, *ratios, foreign]


HEAD = (
    *("flood", "bad keys/s", "told", "web CPU µs each", "p95 ms alone", "beside a flood elsewhere", "beside it"),
    *("× alone", "× elsewhere", "cores of others, at most"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.bad_keys", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rate", type=float, default=5_000, help="bad keys a second")
    parser.add_argument("--good", type=float, default=100, help="messages a second with a good key")
    parser.add_argument("--seconds", type=float, default=5, help="of a slice")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tries", type=int, default=10, help="rounds at most, when others disturb them")
    parser.add_argument("--foreign", type=float, default=0.25, help="cores used by others that spoil a round")
    parser.add_argument("--only", type=int, help="one kind of flood, from 0")
    given = parser.parse_args(arguments)
    floods = FLOODS if given.only is None else FLOODS[given.only : given.only + 1]
    with ground(given) as here, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        rounds = Rounds(here, pool)
        rows = [row(flood, rounds.take(flood), seconds=given.seconds) for flood in floods]
    say(markdown(HEAD, rows))
    say("\n" + ", ".join(f"{name} {value}" for name, value in description().items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
