import re
import subprocess
from pathlib import Path

import pytest
from django.urls import resolve

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ENTRYPOINT = ROOT / "deploy/entrypoint.sh"


def entrypoint(folder: Path, *arguments: str, python: str = "") -> subprocess.CompletedProcess[str]:
    """The entrypoint with programs that only say how they were called."""
    for program, then in (("granian", ""), ("celery", ""), ("python", python)):
        echo = folder / program
        echo.write_text(f'#!/bin/sh\necho "$(basename "$0") $*"\n{then}\n')
        echo.chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    return subprocess.run(["/bin/sh", ENTRYPOINT, *arguments], env={"PATH": path}, capture_output=True, text=True)


def test_healthcheck_asks_a_path_of_ours() -> None:
    [path] = re.findall(r"'(/\w+)'", DOCKERFILE)

    assert resolve(path).route.rstrip("/") == "livez"


def test_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE) == ["10001"]


def test_default_command_is_one_the_entrypoint_knows() -> None:
    [command] = re.findall(r'^CMD \["(\w+)"\]$', DOCKERFILE, re.MULTILINE)

    assert f"\n{command})\n" in ENTRYPOINT.read_text()


def test_image_takes_only_locked_packages() -> None:
    assert "pip install --require-hashes -r /requirements.txt" in DOCKERFILE


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        (["web"], "granian --interface wsgi --host 0.0.0.0 --port 8000 --no-ws --workers 2 --blocking-threads"),
        (["streams"], "granian --interface asgi --host 0.0.0.0 --port 8000 --no-ws --http 1"),
        (["worker"], "celery -A traffic_control -q worker --without-gossip --without-mingle --loglevel INFO"),
        (["dispatcher"], "python manage.py dispatcher"),
        (["migrate"], "python manage.py migrate --no-input"),
        (["manage", "demo", "--json"], "python manage.py demo --json"),
    ],
)
def test_entrypoint_starts_the_program(tmp_path: Path, arguments: list[str], started: str) -> None:
    done = entrypoint(tmp_path, *arguments)

    assert done.stdout.splitlines()[-1].startswith(started)


@pytest.mark.parametrize("command", ["web", "streams", "worker", "dispatcher"])
def test_entrypoint_starts_nothing_on_settings_that_are_refused(tmp_path: Path, command: str) -> None:
    done = entrypoint(tmp_path, command, python="exit 1")

    assert (done.returncode, done.stdout) == (
        1,
        "python manage.py check --deploy --database default --tag database --tag settings\n",
    )


def test_entrypoint_refuses_an_unknown_command() -> None:
    done = subprocess.run(["/bin/sh", ENTRYPOINT, "serve"], capture_output=True, text=True)

    assert (done.returncode, done.stderr.split(":")[0]) == (64, "usage")
