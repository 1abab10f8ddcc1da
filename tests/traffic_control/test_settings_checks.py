import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection

from traffic_control.settings_checks import documented_names, misspelt

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "between-fifty-and-a-hundred-characters-as-nobody-would-guess-1234567890",
    "ALLOWED_HOSTS": "notify.example.com",
    "PUBLIC_URL": "https://notify.example.com",
    "DATABASE_URL": "postgres://user:password@127.0.0.1:1/notification_db",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
}
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="these are settings of PostgreSQL")


def manage(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """manage.py in production, with nothing of the test's own settings."""
    needed = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=needed | PRODUCTION | extra,
        capture_output=True,
        text=True,
    )


def ids(*, databases: list[str] | None = None) -> set[str | None]:
    return {message.id for message in run_checks(tags=["database", "settings"], databases=databases)}


@pytest.mark.parametrize("extra", [{}, {"BEHIND_PROXY": "1"}])
def test_production_passes_the_deployment_checks(extra: dict[str, str]) -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **extra)

    assert done.stderr == ""
    assert "no issues" in done.stdout
    assert done.returncode == 0


def test_debug_does_not_pass_the_deployment_checks() -> None:
    assert "security.W018" in manage("check", "--deploy", DEBUG="1").stderr


@pytest.mark.parametrize("key", ["", "insecure-development-key-never-for-production"])
def test_production_without_a_secret_of_its_own_does_not_start(key: str) -> None:
    done = manage("check", SECRET_KEY=key)

    assert done.returncode == 1
    assert "SECRET_KEY is not set, and DEBUG is off" in done.stderr


@on_postgres
@pytest.mark.django_db
def test_postgres_that_forgets_commits_is_refused(settings) -> None:
    settings.ALLOW_UNSAFE_POSTGRES = False
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    assert "traffic_control.E001" in ids(databases=["default"])


@on_postgres
@pytest.mark.django_db
def test_postgres_that_forgets_commits_is_taken_when_it_is_allowed_or_not_asked(settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    settings.ALLOW_UNSAFE_POSTGRES = False
    assert "traffic_control.E001" not in ids()
    settings.ALLOW_UNSAFE_POSTGRES = True
    assert "traffic_control.E001" not in ids(databases=["default"])


def test_postgres_that_does_not_answer_is_a_warning() -> None:
    done = manage("check", "--database", "default", "--tag", "database")

    assert done.returncode == 0
    assert "traffic_control.W001" in done.stderr
    assert "password" not in done.stderr


def test_variable_that_looks_misspelt_is_a_warning_with_the_name_it_may_mean(monkeypatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URI", "redis://a-secret")

    [found] = [message for message in run_checks(tags=["settings"]) if "CELERY_BROKER_URI" in message.msg]

    assert (found.id, found.level) == ("traffic_control.W002", 30)
    assert str(found.hint).startswith("Did you mean CELERY_BROKER_URL?")
    assert "a-secret" not in f"{found.msg} {found.hint}"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("EMAIL_HOSTNAME", "EMAIL_HOST"),
        ("TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("EMAIL_HOST", None),
        ("AWS_SECRET_KEY", None),
        ("REDIS_PORT", None),
        ("LOGNAME", None),
        ("PATH", None),
        ("", None),
    ],
)
def test_misspelt_names_what_is_nearly_ours(given: str, meant: str | None) -> None:
    known = documented_names(ROOT / ".env.example")

    assert misspelt([given], known) == ({given: meant} if meant else {})


def test_example_file_lists_exactly_what_is_read() -> None:
    assert documented_names(ROOT / ".env.example") == names_in_settings() | names_in_the_shell() | {"DEV_DIR"}


def names_in_settings() -> set[str]:
    trees = (ast.parse(room.read_text()) for room in (ROOT / "traffic_control/settings").glob("*.py"))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    read = (call for call in calls if re.fullmatch(r"env\.\w+", ast.unparse(call.func)))
    return {ast.literal_eval(call.args[0]) for call in read if call.args}


def names_in_the_shell() -> set[str]:
    return set(re.findall(r"\$\{([A-Z][A-Z0-9_]+)", (ROOT / "deploy/entrypoint.sh").read_text()))
