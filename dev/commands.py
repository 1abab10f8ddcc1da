"""The commands of dev.py; each stands here with the sentence that `make help` prints."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from dev import bootstrap
from dev.console import Refusal, paint, progress, refuse, say
from dev.paths import BIN, PYTHON, ROOT


@dataclass(frozen=True)
class Command:
    help: str
    call: Callable[[list[str]], int]
    needs_environment: bool = True


def main(arguments: list[str]) -> int:
    """Run one command; a refusal is one sentence and exit code 1."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make run | head` ends quietly, and the guardian clears up
    name = arguments[0] if arguments else "help"
    try:
        if name not in COMMANDS:
            refuse(f"There is no command {name!r}. The commands are: {', '.join(COMMANDS)}.")
        if COMMANDS[name].needs_environment:
            bootstrap.enter(arguments)
        return COMMANDS[name].call(arguments[1:])
    except Refusal as refusal:
        print(f"{paint('Cannot go on.', 'red')} {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def show_help(arguments: list[str]) -> int:
    say("Traffic Control: notifications for many tenants. Two commands to know: make run, make test.\n")
    for name, command in COMMANDS.items():
        say(f"  {paint(f'make {name:<14}', 'cyan')} {command.help}")
    say(f"  {paint('make test-pg15     ', 'cyan')} The tests on the PostgreSQL installed on this machine\n")
    say('Without make: python3 dev.py run. Arguments: make test ARGS="-k retry". Settings: PORT=8001 make run.')
    return 0


def run(arguments: list[str]) -> int:
    from dev.run import run as run_product

    return run_product()


def test(arguments: list[str]) -> int:
    from dev.test import test as run_tests

    return run_tests(arguments)


def browser(arguments: list[str]) -> int:
    from dev.browser import browser as run_browser

    return run_browser(arguments)


def coverage(arguments: list[str]) -> int:
    from dev.test import coverage as run_with_coverage

    return run_with_coverage(arguments)


def mission(arguments: list[str]) -> int:
    """One row after the other, on one running product."""
    from dev.test import test as run_tests

    return run_tests(["-n0", "tests/mission", *arguments])


def soak(arguments: list[str]) -> int:
    """One at a time, and with the figures they print."""
    from dev.test import SOAK
    from dev.test import test as run_tests

    return run_tests([*SOAK, *arguments])


def model(arguments: list[str]) -> int:
    """As in the suite, only longer. MODEL_RUNS=… and DRY_RUN_SHOPS=… for other numbers."""
    from dev.test import test as run_tests

    os.environ.setdefault("MODEL_RUNS", "10000")
    os.environ.setdefault("DRY_RUN_SHOPS", "1000")
    tests = ("tests/delivery_gateway/test_model.py", "tests/dry_run/test_dry_run_is_real.py")
    return run_tests(["-n0", *tests, *arguments])


def fuzz(arguments: list[str]) -> int:
    from dev.fuzz import fuzz as run_fuzz

    return run_fuzz(arguments)


def check(arguments: list[str]) -> int:
    from dev.check import check as run_checks

    return run_checks()


def lint(arguments: list[str]) -> int:
    from dev.check import lint as run_linters

    return run_linters()


def format_code(arguments: list[str]) -> int:
    tools = (["check", "--fix-only", "--quiet", "."], ["format", "."])
    return max(subprocess.run([BIN / "ruff", *tool], cwd=ROOT).returncode for tool in tools)


def manage(arguments: list[str]) -> int:
    from dev.manage import manage as run_manage

    return run_manage(arguments)


def openapi(arguments: list[str]) -> int:
    from dev.openapi import DOCUMENT, write

    progress(f"Writing {DOCUMENT.name}")
    return write()


def bench(arguments: list[str]) -> int:
    return subprocess.run([PYTHON, "-m", "bench.run", *arguments], cwd=ROOT).returncode


def bench_quick(arguments: list[str]) -> int:
    return bench(["--quick", *arguments])


def growth(arguments: list[str]) -> int:
    return subprocess.run([PYTHON, "-m", "bench.growth", *arguments], cwd=ROOT).returncode


def bad_keys(arguments: list[str]) -> int:
    return subprocess.run([PYTHON, "-m", "bench.bad_keys", *arguments], cwd=ROOT).returncode


def chaos(arguments: list[str]) -> int:
    return subprocess.run([PYTHON, "-m", "chaos.run", *arguments], cwd=ROOT).returncode


def chaos_quick(arguments: list[str]) -> int:
    return chaos(["--quick", *arguments])


def chaos_sabotage(arguments: list[str]) -> int:
    return chaos(["--sabotage", "all", *arguments])


def chaos_soak(arguments: list[str]) -> int:
    return subprocess.run([PYTHON, "-m", "chaos.soak", *arguments], cwd=ROOT).returncode


def sbom(arguments: list[str]) -> int:
    from dev.sbom import sbom as write_sbom

    return write_sbom()


def audit_dependencies(arguments: list[str]) -> int:
    from dev.advisories import audit

    return audit()


def fairness(arguments: list[str]) -> int:
    return subprocess.run([PYTHON, "-m", "chaos.fairness", *arguments], cwd=ROOT).returncode


COMMANDS = {
    "help": Command("This list", show_help, needs_environment=False),
    "run": Command("The whole product on this machine; Ctrl-C stops it", run),
    "test": Command("The test suite on a real PostgreSQL and Valkey of its own", test),
    "mission": Command("What was asked for, row by row, on a running product", mission),
    "soak": Command("Minutes under load: Redis away, a neighbour's provider out of order", soak),
    "model": Command("10,000 lives of a notification against a model, 1,000 shops' dry runs against real ones", model),
    "fuzz": Command("Whatever the OpenAPI document allows, asked by one tenant about itself and another", fuzz),
    "browser": Command("The console in a real Chromium, on a running product", browser),
    "coverage": Command("The tests, and what they leave out; pages in htmlcov/", coverage),
    "check": Command("All that CI checks, the tests included", check),
    "lint": Command("Style, types, module borders", lint),
    "format": Command("Write the code in the house style", format_code),
    "migrate": Command("Bring the database of make run up to date", lambda arguments: manage(["migrate", *arguments])),
    "manage": Command('Any manage.py command on that database: make manage ARGS="shell"', manage),
    "openapi": Command("Write openapi.yaml from the code", openapi),
    "bench": Command("Measure beside the plain design, its peers and the machine's limits; 20 minutes", bench),
    "bench-quick": Command("The same in small, without the peers; 3 minutes", bench_quick),
    "growth": Command("What a ledger of ten million rows costs; 10 minutes and 12 GB of disk", growth),
    "bad-keys": Command("What 5,000 bad keys a second cost those with good ones; 10 minutes", bad_keys),
    "chaos": Command("Kill, cut and empty everything under load, and audit the ledger; 45 minutes", chaos),
    "chaos-quick": Command("One blow of each kind; 2 minutes", chaos_quick),
    "chaos-sabotage": Command("With each safeguard taken out in turn: the audit has to miss it", chaos_sabotage),
    "chaos-soak": Command("Half an hour at half of what it can do: nothing may grow", chaos_soak),
    "fairness": Command("A tenant's hundred thousand messages, 200 dead endpoints, and their neighbours", fairness),
    "sbom": Command("Write sbom.cdx.json (CycloneDX 1.6): what the product is made of", sbom),
    "audit-dependencies": Command("What is known against the locked packages; needs the internet", audit_dependencies),
    "lock": Command("Write the hashed lock files from the .in files", lambda arguments: bootstrap.lock()),
    "setup": Command("Only make the environment, .venv", lambda arguments: 0),
    "clean": Command(
        "Remove the environment and caches; data stays", lambda arguments: bootstrap.clean(), needs_environment=False
    ),
}
