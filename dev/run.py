"""`make run`: the whole product on this machine, with real services and a catcher for what it sends."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from dev.banner import Demo, banner
from dev.console import progress, refuse, say
from dev.environment import dev_dir, given, web_port
from dev.home import Home, home
from dev.lock import is_held
from dev.ports import HOST, is_free
from dev.processes import Child, ended, stop_all
from dev.server import granian, granian_streams
from dev.supervisor import Logs, Stopped, first_to_end, stoppable
from dev.versions import versions
from dev.waiting import wait_until

DEMO = "demo.json"
STOP_SECONDS = 10.0
START_SECONDS = 60.0
ACCESS_LOG = "%(status)d %(method)s %(path)s %(dt_ms).1f ms"


@dataclass(frozen=True, kw_only=True)
class Running:
    """What to tell the person, and what to watch."""

    url: str
    catcher_url: str
    demo: Demo
    servers: Sequence[Child]
    parts: list[Child]
    start_part: Callable[[str], Child]

    @property
    def children(self) -> list[Child]:
        return [*self.servers, *self.parts]


def run() -> int:
    """Until Ctrl-C (0), or until one part ends by itself (1)."""
    try:
        with stoppable(), everything(Logs()) as running:
            say(banner(url=running.url, demo=running.demo, catcher_url=running.catcher_url))
            return report(first_to_stay_away(running))
    except Stopped:
        say()
        progress("Stopped")
        return 0


def first_to_stay_away(running: Running) -> Child:
    """A part that ends only to be started anew, as a worker does that takes no work any more, is."""
    while (gone := first_to_end(running.children)).process.returncode == os.EX_TEMPFAIL and gone in running.parts:
        progress(f"{gone.name} asks to be started again")
        gone.kill()
        running.parts[running.parts.index(gone)] = running.start_part(gone.name)
    return gone


def report(ended: Child) -> int:
    progress(f"{ended.name} ended by itself with exit code {ended.process.returncode}; stopping the rest")
    return 1


@contextmanager
def everything(logs: Logs) -> Iterator[Running]:
    """Databases, catcher, then the product; ended in the reverse order."""
    port = free_web_port()
    with home() as at:
        progress(f"{versions(at.env)} in {at.folder}")
        with catching(logs, at) as catcher, product(logs, at, port=port) as parts:
            yield Running(
                url=f"http://{HOST}:{port}",
                catcher_url=f"http://{HOST}:{at.ports['catcher']}",
                demo=Demo.read(at.folder / DEMO),
                servers=[*at.reached.children, catcher],
                parts=parts,
                start_part=lambda name: start_part(logs, at, name, port=port),
            )


def free_web_port() -> int:
    port = web_port(given())
    if not is_free(port):
        holder = f"the Traffic Control that runs in {dev_dir()}" if is_held(dev_dir()) else "another program"
        refuse(f"Port {port} is taken by {holder}. Stop that one, or take another: PORT={port + 1} make run")
    return port


@contextmanager
def catching(logs: Logs, at: Home) -> Iterator[Child]:
    options = [f"--smtp-port={at.ports['smtp']}", f"--http-port={at.ports['catcher']}"]
    child = logs.start("catcher", [sys.executable, "-m", "dev.catcher", *options], at.env)
    try:
        yield child
    finally:
        stop_all([child], seconds=2)
        logs.drain()


@contextmanager
def product(logs: Logs, at: Home, *, port: int) -> Iterator[list[Child]]:
    """Migrate, then all parts; ready when the door answers."""
    prepare(logs, at)
    children: list[Child] = []
    try:
        for name in commands(at.env, port, at.ports["streams"]):
            children.append(start_part(logs, at, name, port=port))
        wait_for_door(port, children)
        yield children
    finally:
        progress("Stopping")
        stop_all(children[::-1], seconds=STOP_SECONDS)


def start_part(logs: Logs, at: Home, name: str, *, port: int) -> Child:
    env = {**at.env, "WEB_THREADS": web_threads(at.env)}
    return logs.start(name, [sys.executable, "-m", *commands(env, port, at.ports["streams"])[name]], env)


def prepare(logs: Logs, at: Home) -> None:
    child = logs.start("prepare", [sys.executable, "-m", "dev.prepare", str(at.folder / DEMO)], at.env)
    try:
        child.process.wait()
    finally:
        child.kill()
    if child.process.returncode:
        refuse("The database could not be prepared: see the lines above.")


def commands(env: Mapping[str, str], port: int, streams: int) -> dict[str, list[str]]:
    """The parts of the product, as the image's entrypoint starts them, with a line per request in the log."""
    threads = web_threads(env)
    listening = ["--host", HOST, "--port", str(port), "--blocking-threads", threads]
    worker = "celery -A traffic_control -q worker --without-gossip --without-mingle --loglevel INFO --concurrency"
    return {
        "worker": [*worker.split(), env.get("WORKER_CONCURRENCY", "4")],
        "dispatcher": ["manage", "dispatcher"],
        "streams": granian_streams("--host", HOST, "--port", str(streams)),
        "web": granian(*listening, "--access-log", "--access-log-fmt", ACCESS_LOG),
    }


def web_threads(env: Mapping[str, str]) -> str:
    return env.get("WEB_THREADS", str(2 * (os.cpu_count() or 2) + 1))  # granian warns of more


def wait_for_door(port: int, children: Sequence[Child]) -> None:
    """Until /readyz answers 200; gives up when a part has ended."""
    if not wait_until(lambda: is_ready(port), seconds=START_SECONDS, give_up=lambda: bool(ended(children))):
        parts = ", ".join(f"{child.name} ended with exit code {child.process.returncode}" for child in ended(children))
        refuse(f"Not ready: {parts or '/readyz does not answer 200'}. See the lines above.")


def is_ready(port: int) -> bool:
    try:
        with closing(HTTPConnection(HOST, port, timeout=2)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
