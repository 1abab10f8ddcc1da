"""Single blows. Each is noted with what workers held just then."""

import random
import signal

from chaos.roles import LANES
from chaos.scene import Scene
from chaos.servers import FAST

WORKERS = ("router", *LANES)


def pool_child(scene: Scene, chance: random.Random) -> None:
    name = chance.choice(WORKERS)
    scene.strike(f"a pool process of {name}")
    scene.roles.kill_child(name, chance)


def worker(scene: Scene, chance: random.Random) -> None:
    name = chance.choice(WORKERS)
    scene.strike(f"the worker {name}")
    scene.roles.kill(name)


def web(scene: Scene, chance: random.Random) -> None:
    scene.strike("web")
    scene.roles.kill("web")


def web_child(scene: Scene, chance: random.Random) -> None:
    scene.strike("a process of web")
    scene.roles.kill_child("web", chance)


def dispatcher(scene: Scene, chance: random.Random) -> None:
    scene.strike("the dispatcher")
    scene.roles.kill("dispatcher")


def flush(scene: Scene, chance: random.Random) -> None:
    scene.strike("all that the broker knew")
    scene.servers.broker(lambda one: one.flushall())


def broker(scene: Scene, chance: random.Random) -> None:
    """It keeps nothing on disk."""
    scene.strike("the broker")
    scene.servers.kill_valkey()
    scene.servers.start_valkey()


def cut(scene: Scene, chance: random.Random) -> None:
    scene.strike("all lines to PostgreSQL and the broker")
    for link in ("postgres", "valkey"):
        scene.line(link, cut=True)


def postgres(scene: Scene, chance: random.Random, *, how: signal.Signals) -> None:
    scene.strike(f"PostgreSQL, {'fast' if how == FAST else 'immediate'}")
    scene.servers.stop_postgres(how)
    scene.servers.start_postgres()
