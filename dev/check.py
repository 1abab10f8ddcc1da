"""`make check`: everything CI holds against a change, the tests last."""

import difflib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.console import paint, progress, say
from dev.paths import BIN, ROOT
from dev.supervisor import Stopped, stoppable
from dev.test import INTERRUPTED, pytest, throwaway_services
from dev.versions import versions

SCHEMA = "openapi.yaml"
SHOWN = 60
RULES_FOR_FULL_TABLES = (
    "adding-foreign-key-constraint",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "require-concurrent-index-creation",
)


@dataclass(frozen=True)
class Step:
    """One check. `run` returns its exit code and prints what is wrong."""

    name: str
    run: Callable[[Mapping[str, str]], int]


def command(*parts: str | Path) -> Callable[[Mapping[str, str]], int]:
    """A program of the environment, quiet unless it finds something."""

    def run(settings: Mapping[str, str]) -> int:
        done = subprocess.run(
            [BIN / parts[0], *parts[1:]],
            cwd=ROOT,
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            say(done.stdout.rstrip())
        return done.returncode

    return run


def no_missing_migration(settings: Mapping[str, str]) -> int:
    return command("python", "manage.py", "makemigrations", "--check", "--dry-run")(settings)


def safe_migrations(settings: Mapping[str, str]) -> int:
    """Every migration as PostgreSQL would see it, judged by squawk; first ones meet empty tables, so locks are free."""
    with tempfile.TemporaryDirectory() as folder:
        if code := command("python", "-m", "dev.migrations_sql", folder)(settings):
            return code
        first = sorted(Path(folder).glob("*.0001_*.sql"))
        later = sorted(set(Path(folder).iterdir()) - set(first))
        code = command("squawk", f"--exclude={','.join(RULES_FOR_FULL_TABLES)}", *first)(settings)
        return code or (command("squawk", *later)(settings) if later else 0)


def schema_is_current(settings: Mapping[str, str]) -> int:
    """The committed openapi.yaml is what the code says."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / SCHEMA
        if code := write_schema(fresh, settings):
            return code
        committed = (ROOT / SCHEMA).read_text() if (ROOT / SCHEMA).exists() else ""
        return show_difference(committed.splitlines(), fresh.read_text().splitlines())


def show_difference(committed: Sequence[str], fresh: Sequence[str]) -> int:
    lines = list(difflib.unified_diff(committed, fresh, "committed", "from the code", n=1, lineterm=""))
    if lines:
        say("\n".join([*lines[:SHOWN], f"{SCHEMA} is out of date: make openapi"]))
    return 1 if lines else 0


def write_schema(path: Path, settings: Mapping[str, str] | None = None) -> int:
    arguments = ["spectacular", "--validate", "--fail-on-warn", "--file", str(path)]
    return command("python", "manage.py", *arguments)({**os.environ, "DEBUG": "1", **(settings or {})})


LINTERS = (
    Step("ruff check", command("ruff", "check", "--quiet", ".")),
    Step("ruff format", command("ruff", "format", "--check", "--quiet", ".")),
    Step("mypy", command("mypy", "--no-error-summary")),
    Step("lint-imports", command("lint-imports")),
)
"""What needs no server."""


def sh_syntax(settings: Mapping[str, str]) -> int:
    return subprocess.run(["sh", "-n", "deploy/entrypoint.sh"], cwd=ROOT).returncode


DEPLOYMENT = (
    Step("hadolint", command("hadolint", "Dockerfile")),
    Step(
        "compose schema",
        command("check-jsonschema", "--quiet", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
    ),
    Step("entrypoint", sh_syntax),
)
PRODUCT = (
    Step("migrations", no_missing_migration),
    Step("squawk", safe_migrations),
    Step("openapi", schema_is_current),
)


def lint() -> int:
    """Style, types and borders."""
    return 1 if failures(LINTERS, dict(os.environ)) else 0


def check() -> int:
    """All steps, also after one has failed; pytest's closing line comes last."""
    try:
        with stoppable():
            failed = failures(LINTERS + DEPLOYMENT, dict(os.environ))
            with throwaway_services() as settings:
                failed += failures(PRODUCT, settings | {"DEBUG": "1"})
                say(
                    paint(f"Failed so far: {', '.join(failed)}", "red") if failed else "All steps passed; now the tests"
                )
                say(versions(settings))
                return pytest([], settings) or (1 if failed else 0)
    except Stopped:
        return INTERRUPTED


def failures(steps: Sequence[Step], settings: Mapping[str, str]) -> list[str]:
    """Run them all; the names of those that found something."""
    return [step.name for step in steps if not passes(step, settings)]


def passes(step: Step, settings: Mapping[str, str]) -> bool:
    started = time.monotonic()
    code = step.run(settings)
    word = paint("ok", "green") if code == 0 else paint("FAILED", "red")
    progress(f"{step.name:<16}{time.monotonic() - started:5.1f} s  {word}")
    return code == 0
