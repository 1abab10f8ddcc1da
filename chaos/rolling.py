"""A rolling upgrade under load, there and back: each service asked to end in its turn, the former version in its place.

The former version is what Git calls FORMER in the environment, else the last tag, else some commits ago; without Git
it is this one. It meets the tables of this version, and what this version writes, and this version what it wrote.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from chaos.demands import Demand
from chaos.load import Load
from chaos.roles import STOP_SECONDS
from chaos.scene import Scene
from dev.console import progress
from dev.paths import ROOT
from dev.waiting import wait_until

AGO = "HEAD~20"
BACK_SECONDS = 20.0  # at most, until a web server that was started answers


@dataclass(frozen=True)
class End:
    """How a service ended that was asked to; no `code` when it had to be killed."""

    name: str
    code: int | None
    seconds: float


def upgrade(scene: Scene, load: Load) -> None:
    """Back to the former version, service by service, then to this one again: old and new stand beside each other."""
    now, ends, before = dict(scene.roles.commands), list[End](), doubts(scene)
    with former() as place:
        then = {name: ["env", "-C", str(place), *command] for name, command in now.items()}
        for commands in (then, now):
            ends += [replaced(scene, name, command) for name, command in commands.items()]
    scene.afterwards.append(lambda: judged(ends, doubts(scene) - before))
    load.wait()


def replaced(scene: Scene, name: str, command: list[str]) -> End:
    with scene.strike(f"{name}, asked to end"):
        code, seconds = scene.roles.retire(name)
        scene.roles.commands[name] = command
        scene.roles.start([name])
        wait_until(scene.answers, seconds=BACK_SECONDS)
    return End(name, code, seconds)


def judged(ends: list[End], in_doubt: int) -> Iterable[Demand]:
    forced = [end.name for end in ends if end.code != 0]
    slowest = max(end.seconds for end in ends)
    yield Demand(f"all end by themselves, within {STOP_SECONDS:.0f} s", f"{slowest:.0f} s, not {forced}", not forced)
    yield Demand("nothing is in doubt", f"{in_doubt} sends in doubt", not in_doubt)


def doubts(scene: Scene) -> int:
    """Sends so far that may have been made twice, or not at all."""
    query = "SELECT count(*) FROM delivery_gateway_attempt WHERE outcome IN ('lapsed', 'ambiguous')"
    return int(scene.servers.ask(query)[0][0])


@contextmanager
def former() -> Iterator[Path]:
    """A copy of the former version, for as long as it takes."""
    with TemporaryDirectory(prefix="former-") as folder:
        place = Path(folder) / "code"
        name = os.environ.get("FORMER") or git("describe", "--tags", "--abbrev=0", "HEAD^") or git("rev-parse", AGO)
        if not name or not git("worktree", "add", "--detach", str(place), name, "--quiet", told=True):
            progress("there is no former version here; this one takes its place")
            yield ROOT
            return
        progress(f"the former version is {git('-C', str(place), 'log', '-1', '--format=%h of %as')}")
        try:
            yield place
        finally:
            git("worktree", "remove", "--force", str(place))


def git(*arguments: str, told: bool = False) -> str:
    """What it says, empty when it fails; with `told`, whether it did not."""
    with suppress(OSError):
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return ("done" if told else done.stdout.strip()) if done.returncode == 0 else ""
    return ""
