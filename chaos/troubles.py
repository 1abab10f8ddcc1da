"""What is done to the product while it works. Each returns when the load is over, or when its troubles are."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import redis

from chaos import blows, broadcast, schedule
from chaos.load import Load
from chaos.scene import Scene
from chaos.servers import FAST, IMMEDIATE, ROOM

Blow = Callable[[Scene, random.Random], None]
Trouble = Callable[[Scene, Load], None]
QUIET = 1.0  # seconds of load before the first blow
ROUTERS = 5  # killed while they write one broadcast
EVERYTHING: tuple[Blow, ...] = (
    blows.pool_child, blows.worker, blows.dispatcher, blows.flush, blows.web_child, blows.pool_child, blows.broker,
    blows.cut, partial(blows.postgres, how=FAST), blows.worker, partial(blows.postgres, how=IMMEDIATE), blows.web,
)  # fmt: skip


def every(seconds: float, load: Load, *, times: int = 10_000) -> Iterator[int]:
    """At each of these moments, as long as the load lasts."""
    began = time.monotonic() + QUIET
    for number in range(times):
        while (left := began + number * seconds - time.monotonic()) > 0:
            if load.is_over():
                return
            time.sleep(min(left, 0.1))
        yield number


def repeated(*choice: Blow, seconds: float, times: int = 10_000) -> Trouble:
    """These blows in turn, so many seconds apart."""

    def trouble(scene: Scene, load: Load) -> None:
        chance = random.Random(f"{scene.seed}:{load.record.stem}")
        for number in every(seconds, load, times=times):
            choice[number % len(choice)](scene, chance)

    return trouble


def nothing(scene: Scene, load: Load) -> None:
    """How it is when all is well."""
    load.wait()


def absent_dispatcher(scene: Scene, load: Load) -> None:
    """Killed every 5 s, then none for 60 s: the next one has to catch up."""
    repeated(blows.dispatcher, seconds=5.0, times=4)(scene, load)
    with scene.strike("the dispatcher, for 60 s"):
        scene.roles.rest("dispatcher")
        time.sleep(60.0)
    scene.roles.start(["dispatcher"])


def three_dispatchers(scene: Scene, load: Load) -> None:
    end = scene.roles.join("dispatcher", count=2)
    load.wait()
    end()


def absent_broker(scene: Scene, load: Load, *, seconds: float = 120.0) -> None:
    with scene.strike(f"the broker, for {seconds:.0f} s"):
        scene.servers.kill_valkey()
        time.sleep(seconds)
        scene.servers.start_valkey()


def absent_at_the_end(scene: Scene, load: Load) -> None:
    """No broker when the last messages come: nobody who comes after them wakes a worker for them."""
    time.sleep(QUIET)
    with scene.strike("the broker, until the load is over"):
        scene.servers.kill_valkey()
        load.wait()
        scene.servers.start_valkey()


def full_broker(scene: Scene, load: Load, *, seconds: float = 20.0) -> None:
    with scene.strike(f"the broker's memory, for {seconds:.0f} s"):
        scene.servers.broker(lambda one: one.config_set("maxmemory", 1))
        time.sleep(seconds)
        with suppress(redis.RedisError):
            scene.servers.broker(lambda one: one.config_set("maxmemory", ROOM))


def silent_broker(scene: Scene, load: Load, *, seconds: float = 20.0) -> None:
    """It takes what it is told, and never answers."""
    with scene.strike(f"the broker's voice, for {seconds:.0f} s"):
        scene.line("valkey", blackhole=True)
        time.sleep(seconds)
        scene.line("valkey", blackhole=False, cut=True)


def bad_line_to_postgres(scene: Scene, load: Load) -> None:
    """Slow, reset now and then, and now and then just after COMMIT."""
    with scene.strike("the line to PostgreSQL"):
        scene.line("postgres", latency=0.02, reset=0.05, cut_commits=0.01)
        load.wait()
        scene.line("postgres", latency=0.0, reset=0.0, cut_commits=0.0)


def providers(scene: Scene, load: Load) -> None:
    schedule.watch(scene)
    with scene.strike("the providers' good will"):
        scene.sinks.order(shares={"error": 0.3, "hang": 0.1, "reset": 0.05, "throttled": 0.05})
        load.wait()


def frozen_worker(scene: Scene, load: Load, *, seconds: float = 90.0) -> None:
    """Stopped inside its sends for longer than their leases, then let go: what it says then comes too late."""
    scene.sinks.order(shares={"slow": 1.0})
    time.sleep(3.0)
    with scene.strike(f"the worker email, frozen for {seconds:.0f} s", "email"):
        thaw = scene.roles.freeze("email")
    scene.sinks.order(shares={})
    time.sleep(seconds)
    thaw()


def slow_senders_killed(scene: Scene, load: Load) -> None:
    """Each message takes its receiver 3 s: whoever is killed holds some that have arrived."""
    scene.sinks.order(shares={"slow": 1.0})
    repeated(blows.sender, seconds=4.0)(scene, load)


def broadcasting_routers(scene: Scene, load: Load) -> None:
    """The router killed at each sixth of what it has to write."""
    began = time.time()
    for part in range(1, ROUTERS + 1):
        while not load.is_over() or broadcast.routed(scene, load) < load.messages * part / (ROUTERS + 1):
            if time.time() - began > broadcast.LONGEST:
                return
            time.sleep(0.02)
        with scene.strike(f"the router, after {broadcast.routed(scene, load):,} messages"):
            scene.roles.kill("router")


def everything(scene: Scene, load: Load) -> None:
    """One blow of each kind, beside providers that fail now and then."""
    scene.sinks.order(shares={"error": 0.05, "reset": 0.02, "throttled": 0.02, "lost": 0.02, "slow": 0.02})
    repeated(*EVERYTHING, seconds=2.5, times=len(EVERYTHING))(scene, load)
    load.wait()
