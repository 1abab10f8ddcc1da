"""Single blows. Each is noted with what those had claimed whom it struck."""

import random
import signal

from chaos.roles import LANES
from chaos.scene import Scene
from chaos.servers import FAST
from dev.waiting import wait_until

WORKERS = ("router", *LANES)
WEB_SECONDS = 20.0  # at most, until a web server that was killed answers again


def pool_child(scene: Scene, chance: random.Random) -> None:
    name = chance.choice(WORKERS)
    with scene.strike(f"a pool process of {name}", name):
        scene.roles.kill_child(name, chance)


def worker(scene: Scene, chance: random.Random) -> None:
    name = chance.choice(WORKERS)
    with scene.strike(f"the worker {name}", name):
        scene.roles.kill(name)


def sender(scene: Scene, chance: random.Random) -> None:
    name = chance.choice(("email", "webhook"))
    with scene.strike(f"the worker {name}", name):
        scene.roles.kill(name)


def web(scene: Scene, chance: random.Random) -> None:
    with scene.strike("web"):
        scene.roles.kill("web")
        wait_until(scene.answers, seconds=WEB_SECONDS)


def web_child(scene: Scene, chance: random.Random) -> None:
    with scene.strike("a process of web"):
        scene.roles.kill_child("web", chance)


def dispatcher(scene: Scene, chance: random.Random) -> None:
    with scene.strike("the dispatcher"):
        scene.roles.kill("dispatcher")


def flush(scene: Scene, chance: random.Random) -> None:
    with scene.strike("all that the broker knew"):
        scene.servers.broker(lambda one: one.flushall())


def broker(scene: Scene, chance: random.Random) -> None:
    """It keeps nothing on disk."""
    with scene.strike("the broker"):
        scene.servers.kill_valkey()
        scene.servers.start_valkey()


def cut(scene: Scene, chance: random.Random) -> None:
    with scene.strike("all lines to PostgreSQL and the broker", *LANES):
        for link in ("postgres", "valkey"):
            scene.line(link, cut=True)


def postgres(scene: Scene, chance: random.Random, *, how: signal.Signals) -> None:
    with scene.strike(f"PostgreSQL, {'fast' if how == FAST else 'immediate'}", *LANES):
        scene.servers.stop_postgres(how)
        scene.servers.start_postgres()
